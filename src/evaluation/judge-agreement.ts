import type { ClusteredRate } from "../util/clustered-rate.ts";
import { twoSidedQuantile } from "../util/student-t.ts";
import { addCounts, type JudgeCells, rateOf, total } from "./judge-cells.ts";

/** How far a judge agrees with people on the rollouts that both judged. Intervals take rollouts of one prompt as hanging together. */
export interface JudgeAgreement {
  readonly labelled: number;
  readonly bothShow: number;
  readonly judgeOnly: number;
  readonly personOnly: number;
  readonly neither: number;
  /** Share of the rollouts on which both say the same. */
  readonly agreement: ClusteredRate;
  readonly kappa: Kappa;
  /** By the label: of those the judge gave it, how many people did; of those people gave it, how many the judge did. */
  readonly classes: Readonly<
    Record<"shows" | "not", { readonly precision: ClusteredRate; readonly recall: ClusteredRate }>
  >;
}

/** Cohen's kappa with its 95% interval; undefined where chance alone would agree on everything, or nothing is labelled. */
export interface Kappa {
  readonly value: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/** Measures agreement on the labelled rollouts. */
export function judgeAgreement(cells: JudgeCells): JudgeAgreement {
  const { bothShow, judgeOnly, personOnly, neither } = cells;
  return {
    labelled: total(addCounts(bothShow, judgeOnly, personOnly, neither)),
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

/**
 * Cohen's kappa. Its standard error is that of its linear part (as Fleiss, Cohen and Everitt 1969) summed within prompts; Student's t with
 * one degree of freedom less than there are labelled prompts.
 */
export function cohenKappa(cells: JudgeCells): Kappa {
  const { bothShow, judgeOnly, personOnly, neither } = cells;
  const labelled = addCounts(bothShow, judgeOnly, personOnly, neither);
  const n = total(labelled);
  const none = { value: undefined, low: undefined, high: undefined };
  if (n === 0) return none;
  const judge = (total(bothShow) + total(judgeOnly)) / n;
  const person = (total(bothShow) + total(personOnly)) / n;
  const observed = (total(bothShow) + total(neither)) / n;
  const expected = judge * person + (1 - judge) * (1 - person);
  if (expected >= 1) return none;
  const value = (observed - expected) / (1 - expected);
  // d kappa = (d observed - (1 - kappa) d expected) / (1 - expected), for one rollout of each cell.
  const part = (same: number, judgeShows: number, personShows: number): number => {
    const dExpected =
      (judgeShows - judge) * (2 * person - 1) + (personShows - person) * (2 * judge - 1);
    return (same - observed - (1 - value) * dExpected) / (1 - expected) / n;
  };
  const parts = [part(1, 1, 1), part(0, 1, 0), part(0, 0, 1), part(1, 0, 0)] as const;
  const errors = labelled.map(
    (_, p) =>
      parts[0] * bothShow[p]! +
      parts[1] * judgeOnly[p]! +
      parts[2] * personOnly[p]! +
      parts[3] * neither[p]!,
  );
  const prompts = labelled.filter((count) => count > 0).length;
  if (prompts < 2) return { value, low: undefined, high: undefined };
  const variance = (errors.reduce((sum, e) => sum + e * e, 0) * prompts) / (prompts - 1);
  const half = twoSidedQuantile(0.05, prompts - 1) * Math.sqrt(variance);
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}
