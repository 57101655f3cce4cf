import { z } from "zod";

import { clusteredRateSchema } from "../stats/clustered-rate.ts";
import { twoSidedQuantile } from "../stats/student-t.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import { addCounts, type JudgeCells, labelledCounts, rateOf, total } from "./judge-cells.ts";

/** Cohen's kappa with its 95% interval; undefined where chance alone would agree on everything, or nothing is labelled. */
const kappaSchema = z.strictObject({
  value: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
});
export type Kappa = Plain<typeof kappaSchema>;

const classSchema = z.strictObject({ precision: clusteredRateSchema, recall: clusteredRateSchema });

/** How far a judge agrees with people on the rollouts that both judged. Intervals take rollouts of one prompt as hanging together. */
export const judgeAgreementSchema = z.strictObject({
  labelled: countSchema,
  bothShow: countSchema,
  judgeOnly: countSchema,
  personOnly: countSchema,
  neither: countSchema,
  /** Share of the rollouts on which both say the same. */
  agreement: clusteredRateSchema,
  kappa: kappaSchema,
  /** By the label: of those the judge gave it, how many people did; of those people gave it, how many the judge did. */
  classes: z.strictObject({ shows: classSchema, not: classSchema }),
});
export type JudgeAgreement = Plain<typeof judgeAgreementSchema>;

/** Measures agreement on the labelled rollouts. */
export function judgeAgreement(cells: JudgeCells): JudgeAgreement {
  const { bothShow, judgeOnly, personOnly, neither } = cells;
  return {
    labelled: total(labelledCounts(cells)),
    bothShow: total(bothShow),
    judgeOnly: total(judgeOnly),
    personOnly: total(personOnly),
    neither: total(neither),
    agreement: rateOf(addCounts(bothShow, neither), addCounts(judgeOnly, personOnly)),
    kappa: cohenKappa(cells),
    classes: {
      shows: { precision: rateOf(bothShow, judgeOnly), recall: rateOf(bothShow, personOnly) },
      not: { precision: rateOf(neither, personOnly), recall: rateOf(neither, judgeOnly) },
    },
  };
}

/** By cell: both show, judge alone, person alone, neither. */
type FourCells = readonly [number, number, number, number];

/** Below this a variance is rounding: the linear part says nothing. */
const NO_VARIANCE = 1e-24;

/**
 * Cohen's kappa. Its standard error is that of its linear part (as Fleiss, Cohen and Everitt 1969) summed within prompts; Student's t with
 * one degree of freedom less than there are labelled prompts. Where that error is 0 (all agree, all disagree, one of the two always says the
 * same) it is that of a table in which each prompt counts once and every cell has half a prompt more (Haldane 1956), around that table's kappa.
 */
export function cohenKappa(cells: JudgeCells): Kappa {
  const { bothShow, judgeOnly, personOnly, neither } = cells;
  const labelled = labelledCounts(cells);
  const n = total(labelled);
  const counts = [total(bothShow), total(judgeOnly), total(personOnly), total(neither)] as const;
  const found = linearKappa(counts);
  if (found === undefined) return { value: undefined, low: undefined, high: undefined };
  const { value, parts } = found;
  const prompts = labelled.filter((count) => count > 0).length;
  if (prompts < 2) return { value, low: undefined, high: undefined };
  const errors = labelled.map(
    (_, p) =>
      (parts[0] * bothShow[p]! +
        parts[1] * judgeOnly[p]! +
        parts[2] * personOnly[p]! +
        parts[3] * neither[p]!) /
      n,
  );
  const variance = (errors.reduce((sum, e) => sum + e * e, 0) * prompts) / (prompts - 1);
  if (variance < NO_VARIANCE) return atEnd(value, counts, prompts);
  return around(value, value, { variance, prompts });
}

/** Where the linear part has no variance. */
function atEnd(value: number, counts: FourCells, prompts: number): Kappa {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const padded = counts.map((count) => (count * prompts) / n + 0.5) as unknown as FourCells; // four again
  const { value: center, parts } = linearKappa(padded)!; // no cell is empty
  const squares = parts.reduce((sum, part, i) => sum + padded[i]! * part * part, 0);
  return around(value, center, { variance: squares / (prompts + 2) ** 2, prompts });
}

/** The 95% interval around `center`, widened to hold `value`. */
function around(
  value: number,
  center: number,
  { variance, prompts }: { readonly variance: number; readonly prompts: number },
): Kappa {
  const half = twoSidedQuantile(0.05, prompts - 1) * Math.sqrt(variance);
  const [low, high] = [Math.max(-1, center - half), Math.min(1, center + half)];
  return { value, low: Math.min(value, low), high: Math.max(value, high) };
}

/** Kappa and, for one rollout of each cell, n times what it adds; undefined where chance alone would agree on everything. */
function linearKappa(
  counts: FourCells,
): { readonly value: number; readonly parts: FourCells } | undefined {
  const [bothShow, judgeOnly, personOnly, neither] = counts;
  const n = bothShow + judgeOnly + personOnly + neither;
  if (n === 0) return undefined;
  const judge = (bothShow + judgeOnly) / n;
  const person = (bothShow + personOnly) / n;
  const observed = (bothShow + neither) / n;
  const expected = judge * person + (1 - judge) * (1 - person);
  if (expected >= 1) return undefined;
  const value = (observed - expected) / (1 - expected);
  // d kappa = (d observed - (1 - kappa) d expected) / (1 - expected).
  const part = (same: number, judgeShows: number, personShows: number): number => {
    const dExpected =
      (judgeShows - judge) * (2 * person - 1) + (personShows - person) * (2 * judge - 1);
    return (same - observed - (1 - value) * dExpected) / (1 - expected);
  };
  return { value, parts: [part(1, 1, 1), part(0, 1, 0), part(0, 0, 1), part(1, 0, 0)] };
}
