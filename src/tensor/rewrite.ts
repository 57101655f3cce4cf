import type { Tensor } from "./graph.ts";
import { inOrder } from "./lower.ts";

/**
 * The same graph with some values replaced. `replace` is asked for every value, inputs before what uses them and already built on
 * replacements; undefined keeps the value. What depends on no replacement stays the same object.
 */
export function rewrite(
  outputs: Readonly<Record<string, Tensor>>,
  replace: (value: Tensor) => Tensor | undefined,
): Readonly<Record<string, Tensor>> {
  const replaced = new Map<Tensor, Tensor>();
  for (const tensor of inOrder(Object.values(outputs))) {
    const rebuilt = rebuild(tensor, replaced);
    replaced.set(tensor, replace(rebuilt) ?? rebuilt);
  }
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, replaced.get(tensor)!]), // outputs are in the order
  );
}

function rebuild(tensor: Tensor, replaced: ReadonlyMap<Tensor, Tensor>): Tensor {
  if (tensor.source.kind !== "op") return tensor;
  const { op } = tensor.source;
  const inputs = op.inputs.map((each) => replaced.get(each)!); // inputs come first in the order
  return inputs.every((each, i) => each === op.inputs[i]) ? tensor : op.withInputs(inputs);
}
