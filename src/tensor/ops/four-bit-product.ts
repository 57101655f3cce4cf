import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectFloat, formatShape } from "../shape.ts";

/** What 0 is stored as. */
export const FOUR_BIT_ZERO = 8;

export const fourBitProductOp: OpDefinition<undefined> = {
  kind: "fourBitProduct",
  infer([x, values, scales]) {
    if (x === undefined || values === undefined || scales === undefined) {
      throw new Error("internal: fourBitProduct takes three inputs");
    }
    expectFloat("fourBitProduct", x);
    const [outer, blocks, bytes] = values.shape;
    const inner = x.shape.at(-1);
    const fits =
      values.dtype === "uint8" &&
      scales.dtype === "float32" &&
      values.shape.length === 3 &&
      typeof inner === "number" &&
      Math.ceil(inner / (2 * Number(bytes))) === blocks &&
      formatShape(scales.shape) === formatShape([outer!, blocks]);
    if (!fits) {
      throw new ShapeError(
        `fourBitProduct: expected rows, a uint8 matrix in blocks that hold as many numbers as these are long, and a float32 scale for each block, got ${formatShape(x.shape)}, ${values.dtype} ${formatShape(values.shape)} and ${scales.dtype} ${formatShape(scales.shape)}`,
      );
    }
    return { dtype: "float32", shape: [...x.shape.slice(0, -1), outer!] };
  },
  lower: (writer, names, { inputs }) => {
    const [x, values] = inputs as readonly [Tensor, Tensor, Tensor]; // three, checked by infer
    const [outer, , bytes] = values.shape as readonly [number, number, number]; // weights have no named sizes
    return writer.node(
      "MatMulNBits",
      names,
      {
        K: int(x.shape.at(-1) as number), // checked by infer
        N: int(outer),
        bits: int(4),
        block_size: int(2 * bytes),
        // Products of float32: what is multiplied with is not rounded too.
        accuracy_level: int(1),
      },
      { domain: "com.microsoft" },
    );
  },
  // Rounding has no gradient, and weights that are held this way are not trained.
  gradient: "none",
};

/**
 * x [..., K] times the matrix [K, N] that is stored by its columns in blocks of 4-bit numbers: values uint8 [N, blocks, b], two numbers to
 * a byte, the lower bits first, FOUR_BIT_ZERO standing for 0; scales [N, blocks]. float32 [..., N]. b is 8 or more, a power of two.
 *
 * Worked: the byte 0x79 has 9 and 7, which are 1 and −1; with scale 0.5, x = [3, 1, 0, …] gives 0.5 · (3 − 1) = 1.
 */
export const fourBitProduct = (x: Tensor, values: Tensor, scales: Tensor): Tensor =>
  apply(fourBitProductOp, [x, values, scales], undefined);
