import type { Tensor } from "../tensor/graph.ts";

/** What the output matrix reads, behind the final norm: the first operand of the product that the logits of `ModelParts.head` come from. */
export function outputState(logits: Tensor): Tensor {
  const { source } = logits;
  if (source.kind !== "op") throw new Error("internal: logits come from no product");
  const [first] = source.op.inputs;
  return source.op.kind === "matMul" ? first! : outputState(first!); // a matMul has two
}
