import { float, int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OnnxWriter, type OpDefinition, type Tensor } from "../graph.ts";
import { broadcastShapes, type Dim, expectFloat, formatShape, type TensorType } from "../shape.ts";
import { sumTo } from "./broadcast.ts";
import { lowerToRows } from "./flatten.ts";

export interface MatMulAttributes {
  /** a comes as [..., K, M]. Default false. */
  readonly transposeA?: boolean | undefined;
  /** b comes as [..., N, K]. Default false. */
  readonly transposeB?: boolean | undefined;
  /** Multiplies the product. Default 1. */
  readonly scale?: number | undefined;
}

export const matMulOp: OpDefinition<MatMulAttributes> = {
  kind: "matMul",
  infer(inputs, { transposeA = false, transposeB = false }) {
    const [a, b] = expectMatrices("matMul", inputs);
    const [rows, inner] = lastAxes(a, transposeA);
    const [otherInner, columns] = lastAxes(b, transposeB);
    if (inner !== otherInner) {
      throw new ShapeError(
        `matMul: inner sizes differ, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      );
    }
    const batch = broadcastShapes("matMul", a.shape.slice(0, -2), b.shape.slice(0, -2));
    return { dtype: a.dtype, shape: [...batch, rows, columns] };
  },
  lower: (writer, names, { attributes }) => lowerProduct(writer, names, attributes),
  /**
   * y = s·a·b: da = s·g·bᵀ and db = s·aᵀ·g; where an operand came transposed, so does its gradient. Over leading axes that were
   * broadcast the gradients are summed. A plain matrix b under an a with leading axes, as every weight is, gets its sum from one
   * product over all rows.
   */
  gradient({ inputs, attributes }, g) {
    const [a, b] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    const { transposeA = false, transposeB = false, scale = 1 } = attributes;
    const product = (x: Tensor, y: Tensor, transposeX: boolean, transposeY: boolean): Tensor =>
      matMul(x, y, { transposeA: transposeX, transposeB: transposeY, scale });
    const da = transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB);
    if (b.shape.length === 2 && a.shape.length > 2 && !transposeA) {
      return [da, transposeB ? contractRows(g, a, scale) : contractRows(a, g, scale)];
    }
    const db = transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false);
    return [sumTo(da, a.shape), sumTo(db, b.shape)];
  },
};

export const contractRowsOp: OpDefinition<{ scale?: number | undefined }> = {
  kind: "contractRows",
  infer(inputs) {
    const [a, b] = expectMatrices("contractRows", inputs);
    if (formatShape(a.shape.slice(0, -1)) !== formatShape(b.shape.slice(0, -1))) {
      throw new ShapeError(
        `contractRows: rows differ, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      );
    }
    return { dtype: a.dtype, shape: [a.shape.at(-1)!, b.shape.at(-1)!] };
  },
  lower(writer, names, { inputs, attributes }) {
    const rows = names.map((name, i) => lowerToRows(writer, name, inputs[i]!.shape)); // a name for each input
    return lowerProduct(writer, rows, { ...attributes, transposeA: true });
  },
  // y = s·Σ aᵀb over rows: da = s·b·gᵀ, db = s·a·g.
  gradient({ inputs, attributes: { scale = 1 } }, g) {
    const [a, b] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    return [matMul(b, g, { transposeB: true, scale }), matMul(a, g, { scale })];
  },
};

/** scale · a [..., M, K] · b [..., K, N] = [..., M, N], leading axes broadcasting. */
export const matMul = (a: Tensor, b: Tensor, attributes: MatMulAttributes = {}): Tensor =>
  apply(matMulOp, [a, b], attributes);

/** scale · Σ aᵣᵀ·bᵣ over all rows r: a [..., M], b [..., N] to [M, N]. The gradient of a weight. */
export const contractRows = (a: Tensor, b: Tensor, scale = 1): Tensor =>
  apply(contractRowsOp, [a, b], { scale });

function expectMatrices(
  where: string,
  [a, b]: readonly TensorType[],
): readonly [TensorType, TensorType] {
  if (a === undefined || b === undefined) throw new Error(`internal: ${where} takes two inputs`);
  expectFloat(where, a);
  if (a.dtype !== b.dtype || a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `${where}: expected two matrices of one type, got ${a.dtype} ${formatShape(a.shape)} and ${b.dtype} ${formatShape(b.shape)}`,
    );
  }
  return [a, b];
}

/** Sizes of the last two axes as the product sees them. */
function lastAxes({ shape }: TensorType, isTransposed: boolean): readonly [Dim, Dim] {
  const [rows, columns] = shape.slice(-2) as [Dim, Dim]; // at least two axes, checked before
  return isTransposed ? [columns, rows] : [rows, columns];
}

/** ONNX Runtime's FusedMatMul reads transposed operands in place; ONNX's own MatMul has no such option. */
function lowerProduct(
  writer: OnnxWriter,
  names: readonly string[],
  { transposeA = false, transposeB = false, scale = 1 }: MatMulAttributes,
): string {
  if (!transposeA && !transposeB && scale === 1) return writer.node("MatMul", names);
  const attributes = {
    transA: int(transposeA ? 1 : 0),
    transB: int(transposeB ? 1 : 0),
    alpha: float(scale),
  };
  return writer.node("FusedMatMul", names, attributes, { domain: "com.microsoft" });
}
