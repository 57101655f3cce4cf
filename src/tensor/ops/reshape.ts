import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape, type Dim, type Shape } from "../shape.ts";

export const reshapeOp: OpDefinition<{ shape: Shape }> = {
  kind: "reshape",
  infer([x], { shape }) {
    if (x === undefined) throw new Error("internal: reshape takes one input");
    // Named sizes must survive as they are; the numbers must have one product.
    const named = (dims: Shape): string =>
      dims
        .filter((dim) => typeof dim === "string")
        .toSorted()
        .join(" ");
    const product = (dims: Shape): number =>
      dims.reduce<number>((size, dim) => (typeof dim === "number" ? size * dim : size), 1);
    if (named(x.shape) !== named(shape) || product(x.shape) !== product(shape)) {
      throw new ShapeError(
        `reshape: ${formatShape(x.shape)} does not hold the elements of ${formatShape(shape)}`,
      );
    }
    return { dtype: x.dtype, shape };
  },
  lower(writer, [name], { inputs, attributes: { shape } }) {
    const from = inputs[0]!.shape; // one input, checked by infer
    const sizes = onnxSizes(from, shape);
    return writer.node("Reshape", [name!, writer.constant("int64", [sizes.length], sizes)]);
  },
  gradient: "pending",
};

/** The same elements in another shape; named sizes must appear in both. */
export const reshape = (x: Tensor, shape: Shape): Tensor => apply(reshapeOp, [x], { shape });

/** ONNX: 0 copies the size at the same place, one -1 is worked out. */
function onnxSizes(from: Shape, to: Shape): number[] {
  let isInferred = false;
  return to.map((dim: Dim, i) => {
    if (typeof dim === "number") return dim;
    if (from[i] === dim) return 0;
    if (isInferred) {
      throw new ShapeError(
        `reshape: at most one named size may move, from ${formatShape(from)} to ${formatShape(to)}`,
      );
    }
    isInferred = true;
    return -1;
  });
}
