/** @file One number of each row, read or added to: each is the other's gradient. */
import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OnnxWriter, type OpDefinition, scalar, type Tensor } from "../graph.ts";
import { formatShape, type TensorType } from "../shape.ts";
import { broadcastLike } from "./broadcast.ts";

export const pickOp: OpDefinition<undefined> = {
  kind: "pick",
  infer(inputs) {
    const { rows } = expectRowsAndPlaces("pick", inputs);
    return { dtype: rows.dtype, shape: rows.shape.slice(0, 1) };
  },
  lower: (writer, [x, places]) => lowerPick(writer, x!, places!), // two inputs, checked by infer
  gradient({ inputs }, g) {
    const [x, places] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    return [addAt(broadcastLike(scalar(0), x), places, g), undefined];
  },
};

export const addAtOp: OpDefinition<undefined> = {
  kind: "addAt",
  infer(inputs) {
    const { rows, places } = expectRowsAndPlaces("addAt", inputs);
    const values = inputs[2];
    if (values?.dtype !== rows.dtype || formatShape(values.shape) !== formatShape(places.shape)) {
      throw new ShapeError(
        `addAt: expected values ${rows.dtype} ${formatShape(places.shape)}, got ${String(values?.dtype)} ${formatShape(values?.shape ?? [])}`,
      );
    }
    return { dtype: rows.dtype, shape: rows.shape };
  },
  lower: (writer, [x, places, values]) =>
    writer.node("ScatterElements", [x!, asColumn(writer, places!), asColumn(writer, values!)], {
      axis: int(1),
      reduction: { kind: "string", value: "add" },
    }), // three inputs, checked by infer
  gradient: ({ inputs: [, places] }, g) => [g, undefined, pick(g, places!)],
};

/** x[n, places[n]] of every row: x [N, V], places [N] int32 to [N]. */
export const pick = (x: Tensor, places: Tensor): Tensor => apply(pickOp, [x, places], undefined);

/** x [N, V] with values[n] added at x[n, places[n]]; places [N] int32, values [N]. */
export const addAt = (x: Tensor, places: Tensor, values: Tensor): Tensor =>
  apply(addAtOp, [x, places, values], undefined);

/** Writes x[n, places[n]]. */
export function lowerPick(writer: OnnxWriter, x: string, places: string): string {
  const picked = writer.node("GatherElements", [x, asColumn(writer, places)], { axis: int(1) });
  return writer.node("Reshape", [picked, writer.constant("int64", [1], [-1])]);
}

/** Throws ShapeError unless the inputs begin with floats [N, V] and int32 [N]. */
export function expectRowsAndPlaces(
  where: string,
  [rows, places]: readonly TensorType[],
): { readonly rows: TensorType; readonly places: TensorType } {
  if (
    rows?.shape.length !== 2 ||
    (rows.dtype !== "float32" && rows.dtype !== "float16") ||
    places?.dtype !== "int32" ||
    formatShape(places.shape) !== formatShape(rows.shape.slice(0, 1))
  ) {
    throw new ShapeError(
      `${where}: expected floats [N, V] and int32 [N], got ${[rows, places].map((each) => `${String(each?.dtype)} ${formatShape(each?.shape ?? [])}`).join(" and ")}`,
    );
  }
  return { rows, places };
}

function asColumn(writer: OnnxWriter, x: string): string {
  return writer.node("Reshape", [x, writer.constant("int64", [2], [-1, 1])]);
}
