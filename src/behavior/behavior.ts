import { RuntimeError } from "../util/errors.ts";
import { norm } from "../util/vector.ts";
import type { ResponseActivations } from "./activations.ts";
import {
  diagnoseLayer,
  type DiagnosticDraws,
  type LayerDiagnostics,
  type LayerDifferences,
} from "./diagnostics.ts";
import { meanDifference, pairWeights, scenarioBank, type Weighting } from "./mean-difference.ts";
import type { Probe } from "./probe-kind.ts";
import { groupKeys } from "./prompt-groups.ts";

/** One layer's vectors; S scenarios, N null directions, D dimensions. */
export interface LayerVectors {
  /** Every response pair equal, [D], not normalised. */
  readonly rollout: Float32Array;
  /** Every scenario equal, [D], not normalised. */
  readonly scenario: Float32Array;
  /** One vector per scenario, [S, D]. */
  readonly bank: Float32Array;
  /** The direction of a trained probe, [D]; absent where the probe is a mean difference. */
  readonly probe?: Float32Array | undefined;
  /** Null directions of the probe, [N, D]; absent where the data allow none. */
  readonly nullDirections?: Float32Array | undefined;
}

/** A behaviour as directions in the residual stream of one checkpoint, after minus before. */
export interface Behavior extends Pick<
  ResponseActivations,
  "identity" | "layers" | "maxTokens" | "truncated" | "unusable"
> {
  readonly name: string;
  /** The kind of direction that the diagnostics are about and that readers take. */
  readonly probe: Probe;
  /** The weighting of the vector that the diagnostics are about and that readers take. */
  readonly weighting: Weighting;
  readonly seed: number;
  readonly vectors: ReadonlyMap<number, LayerVectors>;
  readonly diagnostics: readonly LayerDiagnostics[];
  /** What was projected out, by name. */
  readonly orthogonalTo: readonly string[];
  readonly scenarioIds: readonly string[];
  readonly pairs: number;
  readonly prompts: number;
}

export interface BehaviorOptions {
  readonly name: string;
  /** Default `rollout`, as in the paper. */
  readonly weighting?: Weighting | undefined;
  /** Seeds splits, bootstraps and sign flips; default 0. Layers share the draws, so they can be compared. */
  readonly seed?: number | undefined;
  /** Random halves and bootstrap replicates, each; default 200. */
  readonly splits?: number | undefined;
  /** Sign flips for the null of the length; default 200. */
  readonly flips?: number | undefined;
  /** Null directions to keep; default 64. */
  readonly nullDirections?: number | undefined;
}

/**
 * The behaviour vectors of every layer with their diagnostics; deterministic for a seed.
 * Throws RuntimeError naming layer and pair where a difference is not finite, or the layer whose vector is zero.
 */
export function computeBehavior(
  activations: ResponseActivations,
  options: BehaviorOptions,
): Behavior {
  const { name, weighting = "rollout", seed = 0, splits = 200, flips = 200 } = options;
  const { identity, layers, pairIds, maxTokens, truncated, unusable } = activations;
  const prompts = groupKeys(activations.promptKeys);
  const scenarios = groupKeys(activations.scenarios);
  const draws = { seed, splits, flips, nullDirections: options.nullDirections ?? 64 };
  const vectors = new Map<number, LayerVectors>();
  const diagnostics = layers.map((layer) => {
    const input: LayerDifferences = {
      layer,
      differences: activations.differences.get(layer)!,
      before: activations.before.get(layer)!,
      beforeNorms: activations.beforeNorms.get(layer)!,
      pairIds,
      prompts,
      scenarios,
      weighting,
      removedShare: activations.removed?.shares.get(layer),
    };
    const found = computeLayer(input, draws);
    vectors.set(layer, found.vectors);
    return found.diagnostics;
  });
  return {
    name,
    identity,
    layers,
    probe: "mean-difference",
    weighting,
    orthogonalTo: activations.removed?.names ?? [],
    seed,
    vectors,
    diagnostics,
    scenarioIds: scenarios.labels,
    pairs: pairIds.length,
    prompts: prompts.labels.length,
    maxTokens,
    truncated,
    unusable,
  };
}

function computeLayer(
  input: LayerDifferences,
  draws: DiagnosticDraws,
): { diagnostics: LayerDiagnostics; vectors: LayerVectors } {
  const { layer, differences, scenarios } = input;
  checkFinite(input);
  const rollout = meanDifference(differences, pairWeights(scenarios, "rollout"));
  const scenario = meanDifference(differences, pairWeights(scenarios, "scenario"));
  const direction = input.weighting === "rollout" ? rollout : scenario;
  if (norm(direction) === 0) {
    throw new RuntimeError(`layer ${layer}: the mean difference is zero, which has no direction`, {
      hint: "Leave this layer out, and check that the after-responses differ from the before-responses.",
    });
  }
  const { diagnostics, nulls: nullDirections } = diagnoseLayer(input, direction, draws);
  const bank = scenarioBank(differences, scenarios);
  return { diagnostics, vectors: { rollout, scenario, bank, nullDirections } };
}

function checkFinite({ layer, differences, pairIds }: LayerDifferences): void {
  const at = differences.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  const pair = pairIds[Math.floor(at / (differences.length / pairIds.length))]!;
  throw new RuntimeError(
    `layer ${layer}, response pair "${pair}": the difference of the activations is not finite`,
    { hint: "Check the checkpoint's weights and the responses of this pair." },
  );
}
