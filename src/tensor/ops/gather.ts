import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";

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
  gradient: "pending",
};

/** Rows of a table [V, D] by integer ids [...]: [..., D]. */
export const gather = (table: Tensor, ids: Tensor): Tensor =>
  apply(gatherOp, [table, ids], undefined);
