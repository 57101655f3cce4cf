/** @file Which rows go where, for mixtures of experts: choices have no gradient, what is chosen has. */
import { int, ONNX_ELEMENT_TYPE } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { type Dim, expectFloat, expectRank, formatShape } from "../shape.ts";

export const topMaskOp: OpDefinition<{ count: number }> = {
  kind: "topMask",
  infer([x], { count }) {
    if (x === undefined) throw new Error("internal: topMask takes one input");
    expectFloat("topMask", x);
    expectRank("topMask", x, 2);
    const size = x.shape[1];
    if (typeof size !== "number" || count < 1 || count > size) {
      throw new ShapeError(`topMask: cannot take ${count} of each row of ${formatShape(x.shape)}`);
    }
    return { dtype: "bool", shape: x.shape };
  },
  lower(writer, [x], { attributes: { count } }) {
    const k = writer.constant("int64", [1], [count]);
    const places = writer.node("TopK", [x!, k], { axis: int(-1) }, { output: 1 }); // one input, checked by infer
    const zeros = writer.node("Mul", [x!, writer.constant("float32", [], [0])]);
    const ones = writer.node("Expand", [
      writer.constant("float32", [], [1]),
      writer.node("Shape", [places]),
    ]);
    const marked = writer.node("ScatterElements", [zeros, places, ones], { axis: int(1) });
    return writer.node("Cast", [marked], { to: int(ONNX_ELEMENT_TYPE.bool) });
  },
  gradient: "none",
};

export const markedRowsOp: OpDefinition<{ column: number; size: Dim }> = {
  kind: "markedRows",
  infer([mask], { column, size }) {
    const columns = mask?.shape[1];
    if (
      mask?.dtype !== "bool" ||
      mask.shape.length !== 2 ||
      typeof columns !== "number" ||
      column < 0 ||
      column >= columns
    ) {
      throw new ShapeError(
        `markedRows: expected booleans [N, E] with a column ${column}, got ${String(mask?.dtype)} ${formatShape(mask?.shape ?? [])}`,
      );
    }
    return { dtype: "int32", shape: [size] };
  },
  lower(writer, [mask], { attributes: { column } }) {
    const index = writer.constant("int64", [], [column]);
    const marks = writer.node("Gather", [mask!, index], { axis: int(1) }); // one input, checked by infer
    const rows = writer.node("NonZero", [marks]); // [1, n]
    const flat = writer.node("Reshape", [rows, writer.constant("int64", [1], [-1])]);
    return writer.node("Cast", [flat], { to: int(ONNX_ELEMENT_TYPE.int32) });
  },
  gradient: "none",
};

/** True at the `count` largest of each row of x [N, E]; of equals the first ones. */
export const topMask = (x: Tensor, count: number): Tensor => apply(topMaskOp, [x], { count });

/**
 * The numbers of the rows of mask [N, E] that are true in a column, in order: int32 [size]. How many there are is known only when the
 * graph runs, so the caller names the number.
 */
export const markedRows = (mask: Tensor, column: number, size: Dim): Tensor =>
  apply(markedRowsOp, [mask], { column, size });
