/** @file All leading axes as one, and back: each is the other's gradient. */
import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OnnxWriter, type OpDefinition, type Tensor } from "../graph.ts";
import { type Dim, expectRank, formatShape, type Shape } from "../shape.ts";

export const flattenOp: OpDefinition<{ size: Dim }> = {
  kind: "flatten",
  infer([x], { size }) {
    if (x === undefined || x.shape.length < 2) {
      throw new ShapeError(
        `flatten: expected at least two axes, got ${formatShape(x?.shape ?? [])}`,
      );
    }
    return { dtype: x.dtype, shape: [size, x.shape.at(-1)!] };
  },
  lower: (writer, [x], { inputs }) => lowerToRows(writer, x!, inputs[0]!.shape), // one input, checked by infer
  gradient: ({ inputs: [x] }, g) => [unflatten(g, x!)],
};

export const unflattenOp: OpDefinition<undefined> = {
  kind: "unflatten",
  infer([x, like]) {
    if (x === undefined || like === undefined)
      throw new Error("internal: unflatten takes two inputs");
    expectRank("unflatten", x, 2);
    return { dtype: x.dtype, shape: [...like.shape.slice(0, -1), x.shape[1]!] }; // two axes, checked
  },
  lower: (writer, [x, like]) => {
    const leading = writer.node("Shape", [like!], { end: int(-1) });
    const last = writer.node("Shape", [x!], { start: int(1) });
    return writer.node("Reshape", [x!, writer.node("Concat", [leading, last], { axis: int(0) })]);
  },
  gradient: ({ inputs: [x] }, g) => [flatten(g, x!.shape[0]!), undefined], // two axes, checked by infer
};

/** [..., D] as rows [size, D]. `size` is the number of rows: named sizes cannot be multiplied, so the caller names the product. */
export const flatten = (x: Tensor, size: Dim): Tensor => apply(flattenOp, [x], { size });

/** Rows x [N, D] under the leading axes of `like` [..., any]: [..., D]. */
export const unflatten = (x: Tensor, like: Tensor): Tensor =>
  apply(unflattenOp, [x, like], undefined);

/** Writes x [..., D] as rows [N, D]. */
export function lowerToRows(writer: OnnxWriter, x: string, shape: Shape): string {
  if (shape.length === 2) return x;
  const width = shape.at(-1)!; // at least two axes
  if (typeof width === "number") {
    return writer.node("Reshape", [x, writer.constant("int64", [2], [-1, width])]);
  }
  const last = writer.node("Shape", [x], { start: int(-1) });
  const any = writer.constant("int64", [1], [-1]);
  return writer.node("Reshape", [x, writer.node("Concat", [any, last], { axis: int(0) })]);
}
