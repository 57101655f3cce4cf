import { z } from "zod";

import type { Plain } from "../util/artifact.ts";
import type { Rng } from "../util/rng.ts";
import type { RateCells } from "./clustered-rate.ts";
import { quantile } from "./quantile.ts";

const intervalSchema = z.strictObject({ low: z.number(), high: z.number() });
export type Interval = Plain<typeof intervalSchema>;

/** Percentile intervals of one arm; undefined where a replicate has no value. */
export const bootstrapSchema = z.strictObject({
  rate: intervalSchema.optional(),
  /** arm - reference. */
  difference: intervalSchema.optional(),
  /** 1 - arm / reference. */
  reduction: intervalSchema.optional(),
});
export type BootstrapIntervals = Plain<typeof bootstrapSchema>;

export interface BootstrapOptions {
  readonly rng: Rng;
  /** Default 2000. */
  readonly replicates?: number | undefined;
}

/**
 * 95% percentile intervals from resampling prompts, the same for all arms, and training seeds, for each arm by itself. It has no width
 * at 0% and 100% and is too narrow with few seeds, which is why tables show the other intervals; see bench/interval-coverage.ts.
 * The first arm is the reference of differences and reductions.
 */
export function clusterBootstrap(
  arms: readonly RateCells[],
  { rng, replicates = 2000 }: BootstrapOptions,
): readonly BootstrapIntervals[] {
  const rates = arms.map(() => new Float64Array(replicates));
  const prompts = arms[0]?.prompts ?? 0;
  for (let replicate = 0; replicate < replicates; replicate++) {
    const times = drawTimes(prompts, rng);
    for (const [a, cells] of arms.entries()) {
      rates[a]![replicate] = resampledRate(cells, times, drawTimes(cells.seeds, rng));
    }
  }
  const reference = rates[0]!;
  return rates.map((values) => ({
    rate: interval(values),
    difference: interval(values.map((value, i) => value - reference[i]!)),
    reduction: interval(values.map((value, i) => 1 - value / reference[i]!)),
  }));
}

/** How often each of `count` is drawn when `count` are drawn with replacement. */
export function drawTimes(count: number, rng: Rng): Uint32Array {
  const times = new Uint32Array(count);
  for (let i = 0; i < count; i++) times[rng.integer(count)]!++;
  return times;
}

function resampledRate(cells: RateCells, prompts: Uint32Array, seeds: Uint32Array): number {
  let shows = 0;
  let judged = 0;
  for (const [s, often] of seeds.entries()) {
    if (often === 0) continue;
    for (let p = 0; p < cells.prompts; p++) {
      const i = s * cells.prompts + p;
      shows += often * prompts[p]! * cells.shows[i]!;
      judged += often * prompts[p]! * cells.judged[i]!;
    }
  }
  return shows / judged;
}

function interval(values: Float64Array): Interval | undefined {
  if (values.length === 0 || !values.every(Number.isFinite)) return undefined;
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}
