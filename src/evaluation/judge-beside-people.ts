import type { HumanLabels } from "../judge/human-labels.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
import { correctedRates, type CorrectedRates } from "./corrected-rates.ts";
import { judgeAgreement, type JudgeAgreement } from "./judge-agreement.ts";
import { judgeCells } from "./judge-cells.ts";

/** A judge beside people: how far they agree, and what its rates are when corrected for its errors. */
export interface JudgeBesidePeople {
  readonly verdicts: number;
  readonly labels: number;
  /** Labels of rollouts that have no verdict here. */
  readonly foreign: number;
  readonly agreement: JudgeAgreement;
  /** In the order in which variants occur. */
  readonly variants: readonly VariantBesidePeople[];
}

export interface VariantBesidePeople {
  readonly variant: string;
  /** Without a verdict, in none of the rates. */
  readonly missing: number;
  /** With a verdict and a label. */
  readonly labelled: number;
  readonly rates: CorrectedRates;
}

/** Compares a judge's verdicts on all rollouts with people's labels of some of them, drawn by chance. */
export function judgeBesidePeople(
  verdicts: readonly Verdict[],
  labels: HumanLabels,
): JudgeBesidePeople {
  const known = new Set(verdicts.map(({ rollout }) => rollout));
  const foreign = [...labels.keys()].filter((rollout) => !known.has(rollout)).length;
  const variants = [...new Set(verdicts.map(({ variant }) => variant))].map((variant) => {
    const own = verdicts.filter((verdict) => verdict.variant === variant);
    const cells = judgeCells(own, labels);
    const missing = own.filter(isMissing).length;
    const { labelled } = judgeAgreement(cells);
    return { variant, missing, labelled, rates: correctedRates(cells) };
  });
  const agreement = judgeAgreement(judgeCells(verdicts, labels));
  return { verdicts: verdicts.length, labels: labels.size, foreign, agreement, variants };
}
