import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OnnxWriter, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape, type Shape } from "../shape.ts";

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
    return writer.node("Reshape", [name!, onnxSizes(writer, name!, from, shape)]);
  },
  gradient: ({ inputs: [x] }, g) => [reshape(g, x!.shape)], // one input, checked by infer
};

/** The same elements in another shape; named sizes must appear in both. */
export const reshape = (x: Tensor, shape: Shape): Tensor => apply(reshapeOp, [x], { shape });

/** The new sizes as ONNX wants them: 0 copies the size at the same place, one -1 is worked out, others are read at run time. */
function onnxSizes(writer: OnnxWriter, name: string, from: Shape, to: Shape): string {
  // Only in front: ONNX Runtime 1.30 infers a last axis of 0 for the probabilities of Attention, and takes the copy at its word.
  const moved = to.findIndex((dim, i) => dim !== from[i]);
  const isInFront = (i: number): boolean => moved === -1 || i < moved;
  const sizes = to.map((dim, i) => (typeof dim === "number" ? dim : isInFront(i) ? 0 : -1));
  if (sizes.filter((size) => size === -1).length < 2) {
    return writer.constant("int64", [sizes.length], sizes);
  }
  const pieces = to.map((dim) => {
    if (typeof dim === "number") return writer.constant("int64", [1], [dim]);
    const at = from.indexOf(dim);
    return writer.node("Shape", [name], { start: int(at), end: int(at + 1) });
  });
  return writer.node("Concat", pieces, { axis: int(0) });
}
