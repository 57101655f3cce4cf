import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";

export const transposeOp: OpDefinition<{ axes: readonly number[] }> = {
  kind: "transpose",
  infer([x], { axes }) {
    if (x === undefined) throw new Error("internal: transpose takes one input");
    if (axes.toSorted((a, b) => a - b).join() !== x.shape.map((_, i) => i).join()) {
      throw new ShapeError(
        `transpose: axes ${axes.join(", ")} are no order of the axes of ${formatShape(x.shape)}`,
      );
    }
    return { dtype: x.dtype, shape: axes.map((axis) => x.shape[axis]!) };
  },
  lower: (writer, names, { attributes: { axes } }) =>
    writer.node("Transpose", names, { perm: { kind: "ints", value: axes } }),
  // The order that undoes the order.
  gradient: ({ attributes: { axes } }, g) => [
    transpose(
      g,
      axes.map((_, i) => axes.indexOf(i)),
    ),
  ],
};

/** Axis i of the result is axis `axes[i]` of x. */
export const transpose = (x: Tensor, axes: readonly number[]): Tensor =>
  apply(transposeOp, [x], { axes });
