import { sumByPrompt, sumPrompts, type Grouping } from "./prompt-groups.ts";

/**
 * What counts the same in a mean difference: every response pair (`rollout`, the paper's choice) or every scenario
 * (`scenario`), however many response pairs it has.
 */
export const WEIGHTINGS = ["rollout", "scenario"] as const;
export type Weighting = (typeof WEIGHTINGS)[number];

/**
 * The weight of every response pair, [n]: 1, or 1 / (response pairs of its scenario). Weights are fixed on all pairs, so a
 * half of the prompts weighs its part of a scenario as the whole does and the halves add up to the whole.
 */
export function pairWeights(scenarios: Grouping, weighting: Weighting): Float64Array {
  if (weighting === "rollout") return new Float64Array(scenarios.of.length).fill(1);
  const counts = new Int32Array(scenarios.labels.length);
  for (const scenario of scenarios.of) counts[scenario]! += 1;
  return Float64Array.from(scenarios.of, (scenario) => 1 / counts[scenario]!);
}

/**
 * The behaviour vector (arXiv 2602.11079: the mean over response pairs of after minus before), not normalised, [D].
 * `differences` [n, D] row by row, `weights` [n]; summed in double precision.
 */
export function meanDifference(differences: Float32Array, weights: Float64Array): Float32Array {
  const whole: Grouping = { of: new Int32Array(weights.length), labels: ["all"] };
  const prompts = sumByPrompt(differences, weights, whole);
  const total = prompts.weights[0]!;
  return Float32Array.from(sumPrompts(prompts), (sum) => sum / total);
}

/** One mean difference per scenario, [S, D] in the order of `scenarios.labels`. */
export function scenarioBank(differences: Float32Array, scenarios: Grouping): Float32Array {
  const ones = new Float64Array(scenarios.of.length).fill(1);
  const { count, dim, sums, weights } = sumByPrompt(differences, ones, scenarios);
  const bank = new Float32Array(count * dim);
  for (let s = 0; s < count; s++) {
    for (let j = 0; j < dim; j++) bank[s * dim + j] = sums[s * dim + j]! / weights[s]!;
  }
  return bank;
}
