/**
 * @file What training minimises, as graphs over log-probabilities.
 *
 * Losses are weighted sums, the weights inputs: a step that is split into runs gives each run the weights of the whole step, and the
 * sums of losses and gradients over the runs are those of the step, however unequal the runs.
 */
import { input, scalar, type Tensor } from "../tensor/graph.ts";
import { add, divide, multiply, subtract } from "../tensor/ops/arithmetic.ts";
import { sumTo } from "../tensor/ops/broadcast.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { negate, softplus } from "../tensor/ops/unary.ts";

export interface PreferenceLossSettings {
  readonly beta: number;
  /** Divides log-probabilities, those of the reference too, by the response's token count. Default false. */
  readonly lengthNormalized?: boolean | undefined;
  /** Share ε of pairs taken to be the wrong way round (conservative DPO). Default 0. */
  readonly labelSmoothing?: number | undefined;
}

export interface PreferenceLoss {
  /** Σ weight · loss over the pairs, a scalar. */
  readonly loss: Tensor;
  /** β·(log π − log π₀) of each response, [R]; normalised where the loss is. */
  readonly rewards: Tensor;
  /** Reward of the chosen less that of the rejected response, [P]; a pair is right where it is positive. */
  readonly margins: Tensor;
}

/**
 * DPO (Rafailov et al. 2023, eq. 7): −(1 − ε)·log σ(m) − ε·log σ(−m) for a pair with margin m. `logprobs` [R], sums over each
 * response's tokens. Inputs: `reference` [R], the same sums under the reference; `tokenCounts` [R] if length-normalised;
 * `pairSigns` [P, R], +1 for a pair's chosen response and −1 for its rejected one; `pairWeights` [P], 1/pairs for a mean.
 */
export function preferenceLoss(
  logprobs: Tensor,
  { beta, lengthNormalized = false, labelSmoothing = 0 }: PreferenceLossSettings,
): PreferenceLoss {
  const gain = subtract(logprobs, input("reference", "float32", ["R"]));
  const perLength = lengthNormalized ? divide(gain, input("tokenCounts", "float32", ["R"])) : gain;
  const rewards = multiply(perLength, scalar(beta));
  const signs = input("pairSigns", "float32", ["P", "R"]);
  const margins = reshape(matMul(signs, reshape(rewards, ["R", 1])), ["P"]);
  const right = softplus(negate(margins)); // −log σ(m)
  const losses =
    labelSmoothing === 0
      ? right
      : add(
          multiply(right, scalar(1 - labelSmoothing)),
          multiply(softplus(margins), scalar(labelSmoothing)),
        );
  return { loss: weightedSum(losses, input("pairWeights", "float32", ["P"])), rewards, margins };
}

/** Cross-entropy: −Σ weight · log-probability over the response tokens [N]. Input `tokenWeights` [N], 1/tokens for a mean. */
export function supervisedLoss(tokenLogprobs: Tensor): Tensor {
  return negate(weightedSum(tokenLogprobs, input("tokenWeights", "float32", ["N"])));
}

function weightedSum(values: Tensor, weights: Tensor): Tensor {
  return sumTo(multiply(values, weights), []);
}
