import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";

export interface DequantizeAttributes {
  /** Numbers of a row that share one scale; the last block of a row may be shorter. */
  readonly block: number;
}

export const dequantizeOp: OpDefinition<DequantizeAttributes> = {
  kind: "dequantize",
  infer([values, scales], { block }) {
    if (values === undefined || scales === undefined) {
      throw new Error("internal: dequantize takes two inputs");
    }
    const [rows, columns] = values.shape;
    const fits =
      values.dtype === "int8" &&
      scales.dtype === "float32" &&
      values.shape.length === 2 &&
      formatShape(scales.shape) === formatShape([rows!, Math.ceil(Number(columns) / block)]);
    if (!fits) {
      throw new ShapeError(
        `dequantize: expected an int8 matrix and a float32 scale for each ${block} numbers of a row, got ${values.dtype} ${formatShape(values.shape)} and ${scales.dtype} ${formatShape(scales.shape)}`,
      );
    }
    return { dtype: "float32", shape: values.shape };
  },
  lower: (writer, names, { attributes }) =>
    writer.node("DequantizeLinear", names, { axis: int(1), block_size: int(attributes.block) }),
  // Whole numbers have no gradient, and weights that are held this way are not trained.
  gradient: "none",
};

/** An int8 matrix [N, K] times its scales [N, K / block rounded up], each for `block` numbers of a row: float32 [N, K]. */
export const dequantize = (values: Tensor, scales: Tensor, block: number): Tensor =>
  apply(dequantizeOp, [values, scales], { block });
