import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";
import { sumTo } from "./broadcast.ts";

export const repeatRowOp: OpDefinition<undefined> = {
  kind: "repeatRow",
  infer([row, like]) {
    if (row?.shape[0] !== 1 || row.shape.length !== 3 || like === undefined) {
      throw new ShapeError(`repeatRow: expected [1, P, K], got ${formatShape(row?.shape ?? [])}`);
    }
    return { dtype: row.dtype, shape: [like.shape[0] ?? 1, ...row.shape.slice(1)] };
  },
  lower(writer, [row, like]) {
    const rows = writer.node("Shape", [like!], { start: int(0), end: int(1) }); // two inputs, checked by infer
    const ones = writer.constant("int64", [2], [1, 1]);
    return writer.node("Expand", [row!, writer.node("Concat", [rows, ones], { axis: int(0) })]);
  },
  gradient: ({ inputs: [row] }, g) => [sumTo(g, row!.shape), undefined], // two inputs, checked by infer
};

/** One row [1, P, K] as many times as `like` has rows: [B, P, K]. */
export const repeatRow = (row: Tensor, like: Tensor): Tensor =>
  apply(repeatRowOp, [row, like], undefined);
