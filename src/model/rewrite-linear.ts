import type { Tensor } from "../tensor/graph.ts";
import { matMulOp } from "../tensor/ops/mat-mul.ts";
import { rewrite } from "../tensor/rewrite.ts";
import { TRANSPOSED } from "./layers.ts";

/** A product with a linear layer's weight. */
export interface LinearProduct {
  readonly x: Tensor;
  /** The weight's name in the checkpoint. */
  readonly name: string;
  readonly inDim: number;
  readonly outDim: number;
}

/** The same graph with the products of its linear layers replaced; other products stay. */
export function rewriteLinear(
  outputs: Readonly<Record<string, Tensor>>,
  replace: (product: LinearProduct) => Tensor,
): Readonly<Record<string, Tensor>> {
  return rewrite(outputs, ({ source }) => {
    if (source.kind !== "op" || source.op.kind !== matMulOp.kind) return undefined;
    const [x, weight] = source.op.inputs as readonly [Tensor, Tensor]; // a product has two
    if (weight.source.kind !== "parameter" || !weight.source.name.endsWith(TRANSPOSED)) {
      return undefined;
    }
    const name = weight.source.name.slice(0, -TRANSPOSED.length);
    const [inDim, outDim] = weight.shape as readonly [number, number]; // parameters have no named sizes, these two
    return replace({ x, name, inDim, outDim });
  });
}
