import { z } from "zod";

import type { HumanLabels } from "../judge/human-labels.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
import { clusteredRate, type ClusteredRate, type RateCells } from "../stats/clustered-rate.ts";
import type { Plain } from "../util/artifact.ts";
import { type ScenarioGroups, unitOf } from "./scenario-groups.ts";

/**
 * A judge beside people, counted by prompt, each [P]. Rollouts that the judge has no verdict on are in none of the counts; those with
 * a label only the judge gave are unlabelled.
 */
export interface JudgeCells extends Readonly<Record<CellCount, Float64Array>> {
  /** Prompts with a verdict. */
  readonly prompts: number;
}

/** The kinds of rollouts that are counted for each prompt: labelled ones by who says that it shows, others by what the judge says. */
export const CELL_COUNTS = [
  "bothShow",
  "judgeOnly",
  "personOnly",
  "neither",
  "unlabelledShow",
  "unlabelledNot",
] as const;
type CellCount = (typeof CELL_COUNTS)[number];

function forEachCount<T>(of: (count: CellCount) => T): Record<CellCount, T> {
  return Object.fromEntries(CELL_COUNTS.map((count) => [count, of(count)])) as Record<CellCount, T>; // each of them
}

/** Joins a judge's verdicts with labels by rollout; a prompt is a request: a scenario or a group of them, in all its variants. */
export function judgeCells(
  verdicts: Iterable<Verdict>,
  labels: HumanLabels,
  groups: ScenarioGroups = new Map(),
): JudgeCells {
  const byPrompt = new Map<string, Record<CellCount, number>>();
  for (const verdict of verdicts) {
    if (isMissing(verdict)) continue;
    const unit = unitOf(verdict.scenario, groups);
    const counts = byPrompt.get(unit) ?? forEachCount(() => 0);
    byPrompt.set(unit, counts);
    const label = labels.get(verdict.rollout);
    const person = label === undefined || "missing" in label ? undefined : label.label === "shows";
    counts[cellOf(verdict.label === "shows", person)]++;
  }
  const column = (name: CellCount): Float64Array =>
    Float64Array.from(byPrompt.values(), (counts) => counts[name]);
  return { prompts: byPrompt.size, ...forEachCount(column) };
}

function cellOf(judge: boolean, person: boolean | undefined): CellCount {
  if (person === undefined) return judge ? "unlabelledShow" : "unlabelledNot";
  if (person) return judge ? "bothShow" : "personOnly";
  return judge ? "judgeOnly" : "neither";
}

/** Elementwise sum of counts. */
export function addCounts(...columns: readonly Float64Array[]): Float64Array {
  return columns[0]!.map((_, p) => columns.reduce((sum, column) => sum + column[p]!, 0));
}

/** All labelled rollouts of each prompt. */
export const labelledCounts = (cells: JudgeCells): Float64Array =>
  addCounts(cells.bothShow, cells.judgeOnly, cells.personOnly, cells.neither);

/** Counts as the cells of a rate; prompts without any are left out, since they say nothing of how prompts differ. */
export function rateCells(shows: Float64Array, other: Float64Array): RateCells {
  const judged = addCounts(shows, other);
  const isCounted = (_: number, p: number): boolean => judged[p]! > 0;
  const counted = judged.filter(isCounted);
  return { seeds: 1, prompts: counted.length, shows: shows.filter(isCounted), judged: counted };
}

/** The rate of counts by prompt, with its interval. */
export function rateOf(shows: Float64Array, other: Float64Array): ClusteredRate {
  return clusteredRate(rateCells(shows, other));
}

/** The sum of all counts of a column. */
export function total(column: Float64Array): number {
  return column.reduce((sum, value) => sum + value, 0);
}

/** A corrected rate with its 95% interval; all undefined where it cannot be had, and `why` says why. */
export const correctedRateSchema = z.strictObject({
  rate: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
  why: z.string().optional(),
});
export type CorrectedRate = Plain<typeof correctedRateSchema>;
