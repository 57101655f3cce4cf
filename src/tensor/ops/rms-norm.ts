import { float, int } from "../../format/onnx.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectEqualDims, expectFloat, expectRank } from "../shape.ts";

export const rmsNormOp: OpDefinition<{ epsilon: number }> = {
  kind: "rmsNorm",
  infer([x, weight]) {
    if (x === undefined || weight === undefined)
      throw new Error("internal: rmsNorm takes two inputs");
    expectFloat("rmsNorm", x);
    expectRank("rmsNorm weight", weight, 1);
    expectEqualDims("rmsNorm", x.shape.at(-1), weight.shape[0]);
    return { dtype: x.dtype, shape: x.shape };
  },
  // ONNX Runtime's name for the fused kernel, older than ONNX's own RMSNormalization.
  lower: (writer, names, { attributes }) =>
    writer.node("SimplifiedLayerNormalization", names, {
      axis: int(-1),
      epsilon: float(attributes.epsilon),
    }),
  gradient: "pending",
};

/** x / √(mean(x²) + ε) · weight over the last axis (Zhang & Sennrich 2019, eq. 4). x [..., D], weight [D]. */
export const rmsNorm = (x: Tensor, weight: Tensor, epsilon: number): Tensor =>
  apply(rmsNormOp, [x, weight], { epsilon });
