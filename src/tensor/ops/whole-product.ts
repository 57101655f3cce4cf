import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectFloat, formatShape } from "../shape.ts";

export const wholeProductOp: OpDefinition<undefined> = {
  kind: "wholeProduct",
  infer([x, values, scales]) {
    if (x === undefined || values === undefined || scales === undefined) {
      throw new Error("internal: wholeProduct takes three inputs");
    }
    expectFloat("wholeProduct", x);
    const [inner, outer] = values.shape;
    const fits =
      values.dtype === "int8" &&
      scales.dtype === "float32" &&
      values.shape.length === 2 &&
      x.shape.length >= 2 &&
      x.shape.at(-1) === inner &&
      formatShape(scales.shape) === formatShape([outer!]);
    if (!fits) {
      throw new ShapeError(
        `wholeProduct: expected rows, an int8 matrix of as many rows as these are long, and a float32 scale for each of its columns, got ${formatShape(x.shape)}, ${values.dtype} ${formatShape(values.shape)} and ${scales.dtype} ${formatShape(scales.shape)}`,
      );
    }
    return { dtype: "float32", shape: [...x.shape.slice(0, -1), outer!] };
  },
  /** One scale and zero serve all of x; what rounds it is one node for all products with it, since the writer adds equal nodes once. */
  lower(writer, [x, values, scales]) {
    const rounded = (output: number): string =>
      writer.node("DynamicQuantizeLinear", [x!], {}, { output }); // three inputs, checked by infer
    return writer.node(
      "MatMulIntegerToFloat",
      [rounded(0), values!, rounded(1), scales!, rounded(2)],
      {},
      { domain: "com.microsoft" },
    );
  },
  // Rounding has no gradient, and weights that are held this way are not trained.
  gradient: "none",
};

/**
 * x [..., K] times an int8 matrix [K, N] whose columns have scales [N]: float32 [..., N]. x is rounded to 256 steps between its smallest
 * and largest number, 0 among them, and whole numbers are multiplied and added exactly.
 *
 * Worked: x = [0, 1, 2.55] has steps of 0.01: [0, 100, 255]. Times [1, 2, 3] with scale 0.5: (200 + 765) · 0.01 · 0.5 = 4.825.
 */
export const wholeProduct = (x: Tensor, values: Tensor, scales: Tensor): Tensor =>
  apply(wholeProductOp, [x, values, scales], undefined);
