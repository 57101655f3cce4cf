import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";
import { lowerToRows } from "./flatten.ts";

export const gatherOp: OpDefinition<undefined> = {
  kind: "gather",
  infer([table, ids]) {
    if (table?.shape.length !== 2 || (ids?.dtype !== "int32" && ids?.dtype !== "int64")) {
      throw new ShapeError(
        `gather: expected a table [V, D] and integer ids, got ${formatShape(table?.shape ?? [])} and ${String(ids?.dtype)}`,
      );
    }
    return { dtype: table.dtype, shape: [...ids.shape, table.shape[1]!] };
  },
  lower: (writer, names) => writer.node("Gather", names, { axis: int(0) }),
  // A row that was taken several times has the sum of the gradients of its copies.
  gradient({ inputs }, g) {
    const [table, ids] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    return [scatterRows(g, ids, table), undefined];
  },
};

export const scatterRowsOp: OpDefinition<undefined> = {
  kind: "scatterRows",
  infer([rows, ids, like]) {
    const fits =
      rows !== undefined &&
      like?.shape.length === 2 &&
      (ids?.dtype === "int32" || ids?.dtype === "int64") &&
      formatShape(rows.shape) === formatShape([...ids.shape, like.shape[1]!]);
    if (!fits) {
      throw new ShapeError(
        `scatterRows: expected rows [..., D], integer ids [...] and a table [V, D], got ${[rows, ids, like].map((each) => `${String(each?.dtype)} ${formatShape(each?.shape ?? [])}`).join(", ")}`,
      );
    }
    return { dtype: rows.dtype, shape: like.shape };
  },
  /** ScatterElements adds in order on one thread; ScatterND adds with all threads at once and loses some of what meets in a row. */
  lower(writer, [rows, ids, like], { inputs }) {
    const flat = lowerToRows(writer, rows!, inputs[0]!.shape); // three inputs, checked by infer
    const column = writer.node("Reshape", [ids!, writer.constant("int64", [2], [-1, 1])]);
    const places = writer.node("Expand", [column, writer.node("Shape", [flat])]);
    const zeros = writer.node("ConstantOfShape", [writer.node("Shape", [like!])]);
    return writer.node("ScatterElements", [zeros, places, flat], {
      axis: int(0),
      reduction: { kind: "string", value: "add" },
    });
  },
  gradient: ({ inputs: [, ids] }, g) => [gather(g, ids!), undefined, undefined],
};

/** Rows of a table [V, D] by integer ids [...]: [..., D]. */
export const gather = (table: Tensor, ids: Tensor): Tensor =>
  apply(gatherOp, [table, ids], undefined);

/** A table in the shape of `like` [V, D], zero but for rows [..., D] added at ids [...]; rows with one id are summed in order. */
export const scatterRows = (rows: Tensor, ids: Tensor, like: Tensor): Tensor =>
  apply(scatterRowsOp, [rows, ids, like], undefined);
