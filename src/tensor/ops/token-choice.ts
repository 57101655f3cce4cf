/** @file What sampling needs of logits, worked out in the graph so that JavaScript does not go through the vocabulary twice. */
import { int, ONNX_ELEMENT_TYPE } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectFloat, expectRank, formatShape } from "../shape.ts";

export const tokenProbabilitiesOp: OpDefinition<undefined> = {
  kind: "tokenProbabilities",
  infer([logits, inverseTemperature]) {
    if (logits === undefined || inverseTemperature === undefined) {
      throw new Error("internal: tokenProbabilities takes two inputs");
    }
    expectFloat("tokenProbabilities", logits);
    if (formatShape(inverseTemperature.shape) !== "[1]") {
      throw new ShapeError(
        `tokenProbabilities: expected one inverse temperature [1], got ${formatShape(inverseTemperature.shape)}`,
      );
    }
    return { dtype: logits.dtype, shape: logits.shape };
  },
  lower: (writer, names) => writer.node("Softmax", [writer.node("Mul", names)], { axis: int(-1) }),
  // For sampling alone; losses are made of other ops.
  gradient: "none",
};

/** softmax(logits / temperature) over the last axis; `inverseTemperature` is one number, [1]. */
export const tokenProbabilities = (logits: Tensor, inverseTemperature: Tensor): Tensor =>
  apply(tokenProbabilitiesOp, [logits, inverseTemperature], undefined);

export const likeliestTokenOp: OpDefinition<undefined> = {
  kind: "likeliestToken",
  infer([logits]) {
    if (logits === undefined) throw new Error("internal: likeliestToken takes one input");
    expectRank("likeliestToken", logits, 2);
    return { dtype: "int32", shape: [logits.shape[0]!] };
  },
  lower(writer, names) {
    const index = writer.node("ArgMax", names, { axis: int(-1), keepdims: int(0) });
    return writer.node("Cast", [index], { to: int(ONNX_ELEMENT_TYPE.int32) });
  },
  gradient: "none",
};

/** Index of the largest of each row of [B, V]: int32 [B]; the first of equals. */
export const likeliestToken = (logits: Tensor): Tensor =>
  apply(likeliestTokenOp, [logits], undefined);
