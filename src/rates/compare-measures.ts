/** @file Capability measures beside the rate: plain numbers, higher is better, for each training seed or each item of it. */
import { z } from "zod";

import {
  halfWidth,
  levelAt,
  type MarginParts,
  pooledSeedsDf,
  twoWayVariance,
} from "../stats/two-way-variance.ts";
import { wilsonShare } from "../stats/wilson.ts";
import { countSchema, type Plain } from "../util/artifact.ts";

/** One number for a whole run, or one for each item (held-out pair, task), by the item's id. */
export type MeasureValues = number | Readonly<Record<string, number>>;

/** The mean of a measure over the runs of one arm. */
export const measureSummarySchema = z.strictObject({
  mean: z.number(),
  /** 95% interval over items and seeds; undefined where there is one item and one seed. */
  low: z.number().optional(),
  high: z.number().optional(),
  /** Items that every run has; 1 where runs have plain numbers. */
  items: countSchema,
  seeds: countSchema,
});
export type MeasureSummary = Plain<typeof measureSummarySchema>;

/** arm - reference on the items that both have. */
export const measureComparisonSchema = z.strictObject({
  difference: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
  p: z.number().optional(),
  items: countSchema,
});
export type MeasureComparison = Plain<typeof measureComparisonSchema>;

/** Summarises the runs of one arm, one entry for each training seed; undefined where they share no item. */
export function summariseMeasure(runs: readonly MeasureValues[]): MeasureSummary | undefined {
  const items = commonItems(runs);
  if (runs.length === 0 || items.length === 0) return undefined;
  const { mean, errors } = cellsOf(runs, items);
  const { variance, margin } = twoWayVariance(errors, runs.length);
  return {
    mean,
    ...(saturatedShare(mean, variance, items.length) ??
      interval(mean, margin, runs.length > 1 || items.length > 1)),
    items: items.length,
    seeds: runs.length,
  };
}

/** Compares two arms: items are paired, training seeds are independent. Undefined where no item is common. */
export function compareMeasure(
  arm: readonly MeasureValues[],
  reference: readonly MeasureValues[],
): MeasureComparison | undefined {
  const items = commonItems([...arm, ...reference]);
  if (arm.length === 0 || reference.length === 0 || items.length === 0) return undefined;
  const a = cellsOf(arm, items);
  const b = cellsOf(reference, items);
  const ofA = twoWayVariance(a.errors, arm.length);
  const ofB = twoWayVariance(b.errors, reference.length);
  const paired = ofA.byPrompt.map((value, i) => value - ofB.byPrompt[i]!);
  const ofItems = twoWayVariance(paired, 1);
  const variance = ofItems.variance + ofA.ofSeeds + ofB.ofSeeds;
  const margin = {
    ...ofItems.margin,
    ofSeeds: ofA.margin.ofSeeds + ofB.margin.ofSeeds,
    seedsDf: pooledSeedsDf([ofA.margin, ofB.margin]),
  };
  const difference = a.mean - b.mean;
  const isKnown = items.length > 1 || (arm.length > 1 && reference.length > 1);
  return {
    difference,
    ...(saturatedDifference(a.mean, b.mean, variance, items.length) ??
      unchangedShare([a, b], variance, items.length) ??
      interval(difference, margin, isKnown)),
    p: !isKnown ? undefined : difference === 0 ? 1 : levelAt(margin, Math.abs(difference)),
    items: items.length,
  };
}

function interval(
  centre: number,
  margin: MarginParts,
  isKnown: boolean,
): Pick<MeasureSummary, "low" | "high"> {
  if (!isKnown) return { low: undefined, high: undefined };
  const half = halfWidth(margin, 0.05);
  return { low: centre - half, high: centre + half };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** Where every item of every run is 0, or every one is 1, the spread says nothing: Wilson's interval of as many items. */
function saturatedShare(mean: number, variance: number, items: number): Bounds | undefined {
  if (variance > 0 || items === 1 || (mean !== 0 && mean !== 1)) return undefined;
  const { low, high } = wilsonShare(mean * items, items);
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** Of two such shares: Newcombe's hybrid of their Wilson intervals (1998, method 10). */
function saturatedDifference(
  a: number,
  b: number,
  variance: number,
  items: number,
): Bounds | undefined {
  const [ofA, ofB] = [saturatedShare(a, variance, items), saturatedShare(b, variance, items)];
  if (ofA === undefined || ofB === undefined) return undefined;
  return {
    low: a - b - Math.hypot(a - ofA.low, ofB.high - b),
    high: a - b + Math.hypot(ofA.high - a, b - ofB.low),
  };
}

/**
 * Where both arms have the same values, 0 or 1, on every item, no item tells how many might differ: as large a share as Wilson's interval of none of as
 * many items allows, either way.
 */
function unchangedShare(
  arms: readonly Cells[],
  variance: number,
  items: number,
): Bounds | undefined {
  if (variance > 0 || items === 1) return undefined;
  if (!arms.every(({ isShare }) => isShare)) return undefined;
  const { high } = wilsonShare(0, items);
  return high === undefined ? undefined : { low: -high, high };
}

/** The one "item" of a run that has a plain number. */
const WHOLE = "";

function toItems(values: MeasureValues): Readonly<Record<string, number>> {
  return typeof values === "number" ? { [WHOLE]: values } : values;
}

function commonItems(runs: readonly MeasureValues[]): readonly string[] {
  const [first, ...others] = runs.map(toItems);
  return Object.keys(first ?? {}).filter((item) =>
    others.every((values) => Object.hasOwn(values, item)),
  );
}

interface Cells {
  readonly mean: number;
  readonly errors: Float64Array;
  /** Whether every item of every run is 0 or 1. */
  readonly isShare: boolean;
}

function cellsOf(runs: readonly MeasureValues[], items: readonly string[]): Cells {
  const values = Float64Array.from(
    runs.flatMap((run) => {
      const byItem = toItems(run);
      return items.map((item) => byItem[item]!);
    }),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mean,
    errors: values.map((value) => value - mean),
    isShare: values.every((value) => value === 0 || value === 1),
  };
}
