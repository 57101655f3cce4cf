/**
 * @file The graph of influence features: for each response the mean over its tokens of ĥₜ ⊗ εₜ, sketched.
 *
 * A linear map A from the residual stream of a layer straight into the state that the output matrix reads, zero in the model as it is,
 * would have the gradient Σₜ ĥₜᵀ·εₜ: ĥₜ what it would read (the stream at the token that predicts t, divided by its root mean square),
 * εₜ = ∂ log p(t) / ∂ state = W_Uᵀ(1[t] − p). A forward pass gives both. What is kept of a full gradient's inner product is the part
 * that goes straight to the output; the blocks between are taken for the identity.
 *
 * Shapes: N response tokens and R responses of all rows, S tokens of the longest of them, D residual width.
 */
import { gradients } from "../tensor/gradient.ts";
import { constant, input, parameter, type Tensor } from "../tensor/graph.ts";
import { multiply } from "../tensor/ops/arithmetic.ts";
import { sumTo } from "../tensor/ops/broadcast.ts";
import { flatten } from "../tensor/ops/flatten.ts";
import { gather } from "../tensor/ops/gather.ts";
import { targetLogprobs } from "../tensor/ops/log-softmax.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { rmsNorm } from "../tensor/ops/rms-norm.ts";
import type { LoadedModel } from "./model-family.ts";
import { outputState } from "./output-state.ts";
import { residualStream } from "./pooled-activations.ts";
import type { GradientProjection, SketchSize } from "./response-gradients.ts";
import type { RopeScaling } from "./rope.ts";

export interface InfluenceGraph {
  /** `layer.<ℓ>` [R, left·right]. Inputs: those of responseLogprobs, and `slots` and `slotShares`, see slotInputs. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly projections: readonly GradientProjection[];
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

/** Builds the graph for `layers`, each in [0, n]. */
export function influenceFeatures(
  model: LoadedModel,
  layers: readonly number[],
  { left, right }: SketchSize,
): InfluenceGraph {
  const { dim, epsilon } = model.config;
  const predictors = input("predictors", "int32", ["N"]);
  const states = new Map<number, Tensor>();
  const { stream, frequencyInputs } = residualStream(model, {
    onLayer: (x, layer) => {
      if (layers.includes(layer)) states.set(layer, gather(flatten(x, "B·T"), predictors));
    },
  });
  const logits = model.family.head(gather(flatten(stream, "B·T"), predictors), model, {
    isStored: true, // one copy of a tied table
  });
  const tokenLogprobs = targetLogprobs(logits, input("targets", "int32", ["N"]));
  const [error] = gradients(sumTo(tokenLogprobs, []), [outputState(logits)]) as readonly [Tensor];
  const [leftSide, rightSide] = [
    projection("left", [dim, left]),
    projection("right", [dim, right]),
  ];
  const slots = input("slots", "int32", ["R", "S"]);
  const shares = input("slotShares", "float32", ["R", "S", 1]);
  const errors = multiply(gather(matMul(error, asParameter(rightSide)), slots), shares); // [R, S, right]
  const ones = constant("float32", [dim], new Float32Array(dim).fill(1));
  const outputs = layers.map((layer) => {
    const unit = rmsNorm(states.get(layer)!, ones, epsilon); // every layer was seen
    const read = gather(matMul(unit, asParameter(leftSide)), slots); // [R, S, left]
    const sum = matMul(read, errors, { transposeA: true }); // [R, left, right]
    return [`layer.${layer}`, reshape(sum, ["R", left * right])] as const;
  });
  return {
    outputs: Object.fromEntries(outputs),
    projections: [leftSide, rightSide],
    frequencyInputs,
  };
}

function projection(
  side: GradientProjection["side"],
  shape: GradientProjection["shape"],
): GradientProjection {
  return { of: "influence", side, name: `projection:${side}:influence`, shape };
}

const asParameter = ({ name, shape }: GradientProjection): Tensor => parameter(name, shape);
