/** @file The trained probes behind one interface: what is tuned, how a direction is learnt, and what its null is. */
import type { Rng } from "../util/rng.ts";
import { allMembers, labelledDifference, type LabelledRows } from "./labelled-rows.ts";
import { createWhitening } from "./lda-probe.ts";
import { createLogisticProbe, ROUGH_TOLERANCE } from "./logistic-probe.ts";
import type { Probe } from "./probe-kind.ts";

/** Learns directions of one layer. Rows are given by their numbers in the layer's rows. */
export interface ProbeLearner {
  /** The setting that cross-validation on `members` chooses; undefined where there is nothing to choose. */
  tune(members: Int32Array, rng: Rng): number | undefined;
  /** The direction [D] learnt from `members`, of no particular length. */
  train(members: Int32Array, setting: number | undefined): Float64Array;
  /** Null directions [N, D], one for each sign pattern over the prompts, of no particular length; see NULL_CONVENTIONS. */
  nulls(from: NullInput): AsyncIterable<Float64Array>;
}

export interface NullInput {
  /** Signs by prompt. */
  readonly signs: readonly Int8Array[];
  /** The mean difference's null directions for the same signs, [N, D]. */
  readonly meanNulls: Float32Array;
  /** As chosen on the true labels: the null is that of the direction, not of the choice. */
  readonly setting?: number | undefined;
}

export type TrainedProbe = Exclude<Probe, "mean-difference">;

export function createLearner(kind: TrainedProbe, rows: LabelledRows): ProbeLearner {
  return kind === "logistic" ? logisticLearner(rows) : ldaLearner(rows);
}

function logisticLearner(rows: LabelledRows): ProbeLearner {
  const probe = createLogisticProbe(rows);
  return {
    tune: (members, rng) => probe.chooseStrength(members, rows.labels, rng),
    train: (members, setting) => probe.train(members, rows.labels, { strength: setting! }),
    async *nulls({ signs, setting }) {
      const members = allMembers(rows);
      const exchangeable = createLogisticProbe(withoutDifference(rows));
      for (const pattern of signs) {
        const labels = flipLabels(rows, pattern);
        yield await Promise.resolve(
          exchangeable.train(members, labels, { strength: setting!, tolerance: ROUGH_TOLERANCE }),
        );
      }
    },
  };
}

/**
 * The rows of every pair moved together by the mean difference, half from either side: after and before may be exchanged then.
 * Without this the behaviour would be a loud dimension with random labels, and part of its own null.
 */
function withoutDifference(rows: LabelledRows): LabelledRows {
  const difference = labelledDifference(rows, allMembers(rows), rows.labels);
  const moved = rows.rows.map((value, at) => {
    const half = difference[at % rows.dim]! / 2;
    return rows.labels[Math.floor(at / rows.dim)] === 1 ? value - half : value + half;
  });
  return { ...rows, rows: moved };
}

function flipLabels({ labels, prompts }: LabelledRows, signs: Int8Array): Uint8Array {
  return labels.map((label, i) => (signs[prompts.of[i]!] === 1 ? label : 1 - label));
}

/**
 * Every pair has one row of each class, so exchanging labels changes the covariance within the classes by a multiple of d dᵀ
 * only, d the mean difference under those labels; a change that leaves the direction covariance⁻¹ d as it is (Sherman and
 * Morrison), but for the little that the shrinkage moves. Hence one covariance serves all sign patterns.
 */
function ldaLearner(rows: LabelledRows): ProbeLearner {
  const { labels, dim } = rows;
  return {
    tune: () => undefined,
    train: (members) =>
      createWhitening(rows, members, labels).solve(labelledDifference(rows, members, labels)),
    async *nulls({ meanNulls }) {
      const whitening = createWhitening(rows, allMembers(rows), labels);
      for (let from = 0; from < meanNulls.length; from += dim) {
        const vector = Float64Array.from(meanNulls.subarray(from, from + dim));
        yield await Promise.resolve(whitening.solve(vector));
      }
    },
  };
}
