/** @file Simulated rankings whose true quality is known. */
import { rankingQuality, type RankingQuality } from "../src/ranking/ranking-quality.ts";
import { normalQuantile, upperTail } from "../src/stats/normal.ts";
import { bisect } from "../src/stats/root.ts";
import type { Rng } from "../src/util/rng.ts";

/** The spread of planted scores, that of others being 1. */
export const SHAPES: Readonly<Record<string, number>> = { alike: 1, wide: 2, narrow: 0.5 };

export interface Design {
  readonly planted: number;
  readonly others: number;
  readonly auroc: number;
  readonly spread: number;
}

export interface Truth {
  /** Mean score of planted pairs. */
  readonly shift: number;
  readonly auroc: number;
  readonly averagePrecision: number;
  /** Of as many as are planted. */
  readonly recall: number;
}

/** Of endlessly many pairs of the design. */
export function truthOf({ planted, others, auroc, spread }: Design): Truth {
  const shift = normalQuantile(auroc) * Math.hypot(1, spread);
  const share = planted / (planted + others);
  const precision = (score: number): number => {
    const hits = share * upperTail((score - shift) / spread);
    return hits / (hits + (1 - share) * upperTail(score));
  };
  const steps = 2000;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    sum += precision(shift + spread * normalQuantile((i + 0.5) / steps)) / steps;
  }
  const above = (score: number): number =>
    share * upperTail((score - shift) / spread) + (1 - share) * upperTail(score);
  const [cut] = bisect((score) => above(score) > share, -10, shift + 10 * spread, 60);
  return { shift, auroc, averagePrecision: sum, recall: upperTail((cut - shift) / spread) };
}

/** The quality of one sample. */
export function sampleQuality(design: Design, { shift }: Truth, rng: Rng): RankingQuality {
  const isPlanted = Array.from(
    { length: design.planted + design.others },
    (_, i) => i < design.planted,
  );
  const scores = Float32Array.from(isPlanted, (is) =>
    is ? shift + design.spread * rng.normal() : rng.normal(),
  );
  return rankingQuality(scores, isPlanted);
}

/** The shares of `samples` whose interval holds the truth. */
export function coverageOf(
  design: Design,
  samples: number,
  rng: Rng,
): Readonly<Record<"auroc" | "averagePrecision" | "recall", number>> {
  const truth = truthOf(design);
  const held = { auroc: 0, averagePrecision: 0, recall: 0 };
  for (let sample = 0; sample < samples; sample++) {
    const { auroc, averagePrecision, at } = sampleQuality(design, truth, rng);
    const found = { auroc, averagePrecision, recall: at[0]!.recall };
    for (const key of ["auroc", "averagePrecision", "recall"] as const) {
      const { low, high } = found[key];
      if (low <= truth[key] && truth[key] <= high) held[key] += 1 / samples;
    }
  }
  return held;
}
