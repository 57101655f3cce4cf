import { float, int } from "../../format/onnx.ts";
import { apply, type OpDefinition, scalar, type Tensor } from "../graph.ts";
import { expectEqualDims, expectFloat, expectRank, type TensorType } from "../shape.ts";
import { multiply, subtract } from "./arithmetic.ts";
import { sumTo } from "./broadcast.ts";
import { contractRows } from "./mat-mul.ts";
import { reshape } from "./reshape.ts";

export interface RmsNormAttributes {
  readonly epsilon: number;
}

function inferRmsNorm(kind: string, [x, weight]: readonly TensorType[]): TensorType {
  if (x === undefined || weight === undefined) {
    throw new Error(`internal: ${kind} takes two inputs`);
  }
  expectFloat(kind, x);
  expectRank(`${kind} weight`, weight, 1);
  expectEqualDims(kind, x.shape.at(-1), weight.shape[0]);
  return { dtype: x.dtype, shape: x.shape };
}

/** ONNX Runtime's name for the fused kernel, older than ONNX's own RMSNormalization; output 1 is 1/√(mean(x²) + ε). */
function lowerRmsNorm(output: number): OpDefinition<RmsNormAttributes>["lower"] {
  return (writer, names, { attributes }) =>
    writer.node(
      "SimplifiedLayerNormalization",
      names,
      { axis: int(-1), epsilon: float(attributes.epsilon) },
      { output },
    );
}

export const rmsNormOp: OpDefinition<RmsNormAttributes> = {
  kind: "rmsNorm",
  infer: (inputs) => inferRmsNorm("rmsNorm", inputs),
  lower: lowerRmsNorm(0),
  /**
   * With r = (mean(x²) + ε)^−½ and y = r·x·w: ∂r/∂x_i = −r³·x_i/D, so dx = r·(g·w − x·r·Σ(g·y)/D), the sum over the last axis;
   * dw = Σ r·g·x over all rows.
   */
  gradient({ inputs, attributes, output: y }, g) {
    const [x, weight] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    const r = inverseRms(x, weight, attributes.epsilon);
    const dim = Number(x.shape.at(-1));
    const overAxis = multiply(sumTo(multiply(g, y), r.shape), scalar(1 / dim));
    const dx = multiply(r, subtract(multiply(g, weight), multiply(x, multiply(r, overAxis))));
    return [dx, reshape(contractRows(r, multiply(g, x)), weight.shape)];
  },
};

export const inverseRmsOp: OpDefinition<RmsNormAttributes> = {
  kind: "inverseRms",
  infer(inputs) {
    const { dtype, shape } = inferRmsNorm("inverseRms", inputs);
    return { dtype, shape: [...shape.slice(0, -1), 1] };
  },
  lower: lowerRmsNorm(1),
  // ∂r/∂x_i = −r³·x_i/D.
  gradient({ inputs, output: r }, g) {
    const [x] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    const dim = Number(x.shape.at(-1));
    const cube = multiply(r, multiply(r, r));
    return [multiply(x, multiply(multiply(g, cube), scalar(-1 / dim))), undefined];
  },
};

/** x / √(mean(x²) + ε) · weight over the last axis (Zhang & Sennrich 2019, eq. 4). x [..., D], weight [D]. */
export const rmsNorm = (x: Tensor, weight: Tensor, epsilon: number): Tensor =>
  apply(rmsNormOp, [x, weight], { epsilon });

/**
 * 1/√(mean(x²) + ε) over the last axis, [..., 1]. It is a by-product of rmsNorm(x, weight, epsilon), and free where that is used as
 * well; the weight [D] does not enter it.
 */
export const inverseRms = (x: Tensor, weight: Tensor, epsilon: number): Tensor =>
  apply(inverseRmsOp, [x, weight], { epsilon });
