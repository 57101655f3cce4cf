import { z } from "zod";

import { expectSameContent, type HumanLabels } from "../judge/human-labels.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
import { countSchema, jsonArtifact, type Plain } from "../util/artifact.ts";
import { correctedRates, correctedRatesSchema } from "./corrected-rates.ts";
import { judgeAgreement, judgeAgreementSchema } from "./judge-agreement.ts";
import { judgeCells } from "./judge-cells.ts";
import { scenarioGroups } from "./scenario-groups.ts";

const variantBesidePeopleSchema = z.strictObject({
  variant: z.string(),
  /** Without a verdict, in none of the rates. */
  missing: countSchema,
  /** With a verdict and a label. */
  labelled: countSchema,
  rates: correctedRatesSchema,
});

/** A judge beside people: how far they agree, and what its rates are when corrected for its errors. */
export const judgeBesidePeopleSchema = z.strictObject({
  verdicts: countSchema,
  labels: countSchema,
  /** Labels of rollouts that have no verdict here. */
  foreign: countSchema,
  /** Labels that do not say of which text they are, or stand beside verdicts that do not: matched by the rollout's id alone. */
  unchecked: countSchema,
  /** With a verdict. */
  scenarios: countSchema,
  /** Different requests: scenarios that ask the same one count as one prompt, the unit of all intervals. */
  prompts: countSchema,
  agreement: judgeAgreementSchema,
  /** In the order in which variants occur. */
  variants: z.array(variantBesidePeopleSchema),
});
export type JudgeBesidePeople = Plain<typeof judgeBesidePeopleSchema>;
export const AGREEMENT = jsonArtifact(
  "agreement.json",
  "a judge beside people",
  judgeBesidePeopleSchema,
);

/**
 * Compares a judge's verdicts on all rollouts with people's labels of some of them, drawn by chance. Throws ConfigError where a label is of
 * another text than the verdict.
 */
export function judgeBesidePeople(
  verdicts: readonly Verdict[],
  labels: HumanLabels,
): JudgeBesidePeople {
  const known = matchLabels(verdicts, labels);
  const groups = scenarioGroups(verdicts);
  const variants = [...new Set(verdicts.map(({ variant }) => variant))].map((variant) => {
    const own = verdicts.filter((verdict) => verdict.variant === variant);
    const cells = judgeCells(own, labels, groups);
    const missing = own.filter(isMissing).length;
    const { labelled } = judgeAgreement(cells);
    return { variant, missing, labelled, rates: correctedRates(cells) };
  });
  const cells = judgeCells(verdicts, labels, groups);
  const judged = verdicts.filter((verdict) => !isMissing(verdict));
  return {
    verdicts: verdicts.length,
    labels: labels.size,
    ...known,
    scenarios: new Set(judged.map(({ scenario }) => scenario)).size,
    prompts: cells.prompts,
    agreement: judgeAgreement(cells),
    variants,
  };
}

function matchLabels(
  verdicts: readonly Verdict[],
  labels: HumanLabels,
): Pick<JudgeBesidePeople, "foreign" | "unchecked"> {
  let unchecked = 0;
  let found = 0;
  for (const { rollout, content } of verdicts) {
    const label = labels.get(rollout);
    if (label === undefined) continue;
    found++;
    expectSameContent(rollout, label, content);
    if (content === undefined || label.content === undefined) unchecked++;
  }
  return { foreign: labels.size - found, unchecked };
}
