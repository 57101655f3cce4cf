import { setImmediate } from "node:timers/promises";

import { ConfigError, RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { cosine, dot, norm } from "../util/vector.ts";
import type { ResponseActivations } from "./activations.ts";
import type { Behavior, LayerVectors } from "./behavior.ts";
import { drawHeldOutFolds, judgeStability, type LayerDiagnostics } from "./diagnostics.ts";
import { type HeldOut, measureHeldOut, membersOutside } from "./held-out.ts";
import { allMembers, labelledDifference, labelPairs, type LabelledRows } from "./labelled-rows.ts";
import { pairWeights } from "./mean-difference.ts";
import { type Measured, notComputed, tooFewPrompts } from "./measured.ts";
import { createLearner, type ProbeLearner, type TrainedProbe } from "./probe-learner.ts";
import { removeComponents } from "./project-out.ts";
import { groupKeys } from "./prompt-groups.ts";
import { namedStream } from "./random-streams.ts";
import { drawMixedSigns } from "./sign-flips.ts";
import { drawHalves, type SplitHalf, summariseCosines } from "./stability.ts";

export interface TrainProbeOptions extends JobOptions {
  readonly kind: TrainedProbe;
  /** Random halves for the split-half stability; default 20, each trains two probes. */
  readonly splits?: number | undefined;
}

const DEFAULT_SPLITS = 20;
const NO_RESAMPLING =
  "not measured for a trained probe; see its held-out AUROC and split-half cosine";

/**
 * Trains a probe at every layer of `behavior`, which was computed from the same activations, in the same weighting (`lda` weighs
 * the means, not the covariance). The behaviour that is returned has the trained direction beside the mean difference, null
 * directions of its own kind, and diagnostics about it; the length's null stays that of the mean difference.
 *
 * A trained direction is given the length of the mean difference's component along it, so that it is in residual-stream units.
 * Throws ConfigError for fewer than 4 prompts or too many responses, RuntimeError naming the layer where training finds nothing.
 */
export async function trainProbe(
  behavior: Behavior,
  activations: ResponseActivations,
  options: TrainProbeOptions,
): Promise<Behavior> {
  const tooFew = tooFewPrompts(behavior.prompts);
  if (tooFew !== undefined) {
    throw new ConfigError(`--probe ${options.kind}: ${tooFew} for the folds`, {
      hint: "Give response pairs of more prompts, or take --probe mean-difference.",
    });
  }
  const { progress, signal } = options;
  const vectors = new Map<number, LayerVectors>();
  const diagnostics: LayerDiagnostics[] = [];
  for (const [l, known] of behavior.diagnostics.entries()) {
    progress?.update(l, behavior.layers.length);
    const layer = await trainLayer(behavior, activations, known, options);
    vectors.set(known.layer, layer.vectors);
    diagnostics.push(layer.diagnostics);
  }
  progress?.update(behavior.layers.length, behavior.layers.length);
  signal?.throwIfAborted();
  return { ...behavior, probe: options.kind, vectors, diagnostics };
}

/** What the parts of a layer's training share. */
interface LayerTraining {
  readonly rows: LabelledRows;
  readonly learner: ProbeLearner;
  readonly seed: number;
  readonly basis: readonly Float64Array[];
  /** Lets Ctrl-C through, between trainings. */
  readonly pause: () => Promise<void>;
}

async function trainLayer(
  behavior: Behavior,
  activations: ResponseActivations,
  known: LayerDiagnostics,
  options: TrainProbeOptions,
): Promise<{ readonly vectors: LayerVectors; readonly diagnostics: LayerDiagnostics }> {
  const { layer } = known;
  const rows = rowsOf(activations, layer, behavior.weighting);
  const training: LayerTraining = {
    rows,
    learner: createLearner(options.kind, rows),
    seed: behavior.seed,
    basis: activations.removed?.basis.get(layer) ?? [],
    pause: async () => {
      await setImmediate();
      options.signal?.throwIfAborted();
    },
  };
  const all = allMembers(rows);
  const setting = training.learner.tune(all, namedStream(behavior.seed, "tuning"));
  const direction = trainScaled(training, all, setting, layer);
  const heldOut = await holdOut(training);
  const splitHalf = await splitHalves(training, setting, options.splits ?? DEFAULT_SPLITS);
  const kept = behavior.vectors.get(layer)!;
  const nullDirections = await trainNulls(training, setting, kept.nullDirections);
  const mean = kept[behavior.weighting];
  return {
    vectors: { ...kept, probe: Float32Array.from(direction), nullDirections },
    diagnostics: describeProbe(known, { direction, heldOut, splitHalf, setting, mean }),
  };
}

/** Both sides of all pairs at one layer. */
export function rowsOf(
  activations: ResponseActivations,
  layer: number,
  weighting: Behavior["weighting"],
): LabelledRows {
  return labelPairs(
    {
      before: activations.before.get(layer)!,
      differences: activations.differences.get(layer)!,
    },
    groupKeys(activations.promptKeys),
    pairWeights(groupKeys(activations.scenarios), weighting),
  );
}

function trainScaled(
  { rows, learner, basis }: LayerTraining,
  members: Int32Array,
  setting: number | undefined,
  layer: number,
): Float64Array {
  const direction = removeComponents(learner.train(members, setting), basis);
  const length = norm(direction);
  const along = dot(labelledDifference(rows, members, rows.labels), direction) / length;
  if (along > 0 && Number.isFinite(along))
    return direction.map((value) => (value * along) / length);
  throw new RuntimeError(`layer ${layer}: the trained probe found no direction`, {
    hint: "Check that after- and before-responses differ, or take --probe mean-difference.",
  });
}

/** The setting is chosen anew within the training folds: held-out prompts have no part in it. */
async function holdOut({ rows, learner, seed, pause }: LayerTraining): Promise<Measured<HeldOut>> {
  const folds = drawHeldOutFolds(rows, seed);
  const directions: Float64Array[] = [];
  for (let fold = 0; fold < folds.count; fold++) {
    await pause();
    const members = membersOutside(folds, fold);
    const setting = learner.tune(members, namedStream(seed, `tuning ${fold}`));
    directions.push(learner.train(members, setting));
  }
  return measureHeldOut(rows, folds, directions, namedStream(seed, "auroc"));
}

async function splitHalves(
  { rows, learner, seed, basis, pause }: LayerTraining,
  setting: number | undefined,
  splits: number,
): Promise<Measured<SplitHalf>> {
  const cosines: (number | undefined)[] = [];
  for (const half of drawHalves(rows.prompts.labels.length, splits, namedStream(seed, "halves"))) {
    await pause();
    const [first, second] = [1, 0].map((side) => {
      const members = allMembers(rows).filter((i) => half[rows.prompts.of[i]!] === side);
      return removeComponents(learner.train(members, setting), basis);
    });
    cosines.push(cosine(first!, second!));
  }
  return summariseCosines(cosines, "half of the prompts");
}

/** Unit vectors [N, D], for the sign patterns of the mean difference's null; undefined where that has none. */
async function trainNulls(
  { rows, learner, seed, basis, pause }: LayerTraining,
  setting: number | undefined,
  meanNulls: Float32Array | undefined,
): Promise<Float32Array | undefined> {
  if (meanNulls === undefined) return undefined;
  const { dim, prompts } = rows;
  const count = meanNulls.length / dim;
  const signs = drawMixedSigns(prompts.labels.length, count, namedStream(seed, "null"));
  const nulls = new Float32Array(meanNulls.length);
  let filled = 0;
  for await (const direction of learner.nulls({ signs, meanNulls, setting })) {
    await pause();
    const kept = removeComponents(direction, basis);
    const length = norm(kept);
    // One without a direction stays zero; scorers pass over it.
    if (length > 0) {
      nulls.set(
        kept.map((value) => value / length),
        filled,
      );
    }
    filled += dim;
  }
  return nulls;
}

function describeProbe(
  known: LayerDiagnostics,
  found: Pick<LayerDiagnostics, "heldOut" | "splitHalf"> & {
    readonly direction: Float64Array;
    readonly setting: number | undefined;
    readonly mean: Float32Array;
  },
): LayerDiagnostics {
  const { direction, heldOut, splitHalf, setting } = found;
  const length = norm(direction);
  const { doubt: _old, ...rest } = known;
  return {
    ...rest,
    norm: length,
    relativeNorm: (known.relativeNorm * length) / known.norm,
    heldOut,
    splitHalf,
    bootstrap: notComputed(NO_RESAMPLING),
    leaveOneOut: notComputed(NO_RESAMPLING),
    trained: { strength: setting, cosineWithMean: cosine(direction, found.mean)! },
    ...judgeStability(splitHalf, known.normNull),
  };
}
