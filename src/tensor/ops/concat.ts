import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { type Dim, expectRank, formatShape } from "../shape.ts";

export const concatOp: OpDefinition<{ axis: number; size: Dim }> = {
  kind: "concat",
  infer(inputs, { axis, size }) {
    const [first] = inputs;
    if (first === undefined) throw new Error("internal: concat takes at least one input");
    for (const each of inputs) {
      expectRank("concat", each, first.shape.length);
      const differs = each.shape.some((dim, i) => i !== axis && dim !== first.shape[i]);
      if (differs || each.dtype !== first.dtype) {
        throw new ShapeError(
          `concat: ${each.dtype} ${formatShape(each.shape)} does not join ${first.dtype} ${formatShape(first.shape)} along axis ${axis}`,
        );
      }
    }
    return { dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? size : dim)) };
  },
  lower: (writer, names, { attributes }) =>
    writer.node("Concat", names, { axis: int(attributes.axis) }),
  gradient: "pending",
};

/**
 * Tensors one behind the other along `axis`, all other sizes equal. `size` is the joined size: named sizes cannot be added, so the
 * caller names the sum.
 */
export const concat = (inputs: readonly Tensor[], axis: number, size: Dim): Tensor =>
  apply(concatOp, inputs, { axis, size });
