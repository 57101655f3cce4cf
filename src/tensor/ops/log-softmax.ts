/** @file Log-probabilities of a row of logits: all of them, or the one of a target. */
import { int } from "../../format/onnx.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { type Dim, expectFloat } from "../shape.ts";
import { multiply, subtract } from "./arithmetic.ts";
import { sumTo } from "./broadcast.ts";
import { addAt, expectRowsAndPlaces, lowerPick } from "./pick.ts";
import { reshape } from "./reshape.ts";
import { exponential, negate } from "./unary.ts";

export const logSoftmaxOp: OpDefinition<undefined> = {
  kind: "logSoftmax",
  infer([x]) {
    if (x === undefined) throw new Error("internal: logSoftmax takes one input");
    expectFloat("logSoftmax", x);
    return { dtype: x.dtype, shape: x.shape };
  },
  lower: (writer, [x]) => writer.node("LogSoftmax", [x!], { axis: int(-1) }), // one input, checked by infer
  // y = x − log Σ eˣ: dx = g − p·Σ g with p = eʸ.
  gradient({ output: y }, g) {
    const total = sumTo(g, [...y.shape.slice(0, -1), 1]);
    return [subtract(g, multiply(exponential(y), total))];
  },
};

export const targetLogprobsOp: OpDefinition<undefined> = {
  kind: "targetLogprobs",
  infer(inputs) {
    const { rows } = expectRowsAndPlaces("targetLogprobs", inputs);
    return { dtype: rows.dtype, shape: rows.shape.slice(0, 1) };
  },
  lower: (writer, [logits, targets]) =>
    lowerPick(writer, writer.node("LogSoftmax", [logits!], { axis: int(-1) }), targets!), // two inputs, checked by infer
  // As logSoftmax with a gradient at the targets alone: dx = −g·p, and g more at the target. No [N, V] of zeros is made for it.
  gradient({ inputs }, g) {
    const [logits, targets] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
    const [n] = logits.shape as readonly [Dim, Dim];
    const spread = multiply(exponential(logSoftmax(logits)), negate(reshape(g, [n, 1])));
    return [addAt(spread, targets, g), undefined];
  },
};

/** x − log Σ eˣ over the last axis: log-probabilities from logits. */
export const logSoftmax = (x: Tensor): Tensor => apply(logSoftmaxOp, [x], undefined);

/** Log-probability of each row's target: logits [N, V], targets [N] int32 to [N]. */
export const targetLogprobs = (logits: Tensor, targets: Tensor): Tensor =>
  apply(targetLogprobsOp, [logits, targets], undefined);
