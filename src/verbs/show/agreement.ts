import type { JudgeAgreement } from "../../rates/judge-agreement.ts";
import type { JudgeBesidePeople } from "../../rates/judge-beside-people.ts";
import type { CorrectedRate } from "../../rates/judge-cells.ts";
import type { ClusteredRate } from "../../stats/clustered-rate.ts";
import { countPrompts } from "../../util/figures.ts";
import { printable, textTable } from "../../util/text-table.ts";
import { formatRate } from "./evaluation.ts";

/** What `culprit agreement` prints. */
export function formatBesidePeople(found: JudgeBesidePeople): string[] {
  const { agreement, variants } = found;
  const { labelled, bothShow, neither, judgeOnly, personOnly, classes } = agreement;
  return [
    `${labelled} rollouts with a verdict and a label: ${bothShow} shows and ${neither} not for both, ${judgeOnly} shows for the judge alone, ${personOnly} for people alone`,
    formatAgreement(agreement),
    ...formatRequests(found),
    ...textTable([
      ["class", "precision [95%]", "recall [95%]"],
      ...(["shows", "not"] as const).map((name) => [
        name,
        formatRate(classes[name].precision),
        formatRate(classes[name].recall),
      ]),
    ]),
    "",
    ...formatCorrectedRates(variants),
  ];
}

/** Where several scenarios ask one request: what the intervals count. */
export function formatRequests({
  scenarios,
  prompts,
}: Pick<JudgeBesidePeople, "scenarios" | "prompts">): string[] {
  if (scenarios === prompts) return [];
  return [`${countPrompts(scenarios, prompts)}; those of one request count as one prompt`];
}

/** What is to be said of labels that do not tell their text: ids of rollouts repeat between checkpoints. */
export const uncheckedLabels = (path: string, count: number): string =>
  `${path}: ${count} labels matched by the rollout's id alone, which repeats between checkpoints: without "content" nothing tells whether they are of these responses`;

/** `agreement 93.0% [...], kappa 0.81 [...]`. */
export function formatAgreement({ agreement, kappa }: JudgeAgreement): string {
  return `agreement ${formatRate(agreement)}, kappa ${formatKappa(kappa)}`;
}

/** A line for each variant, a column for each way to the rate. */
export function formatCorrectedRates(variants: JudgeBesidePeople["variants"]): string[] {
  return textTable([
    ["rate [95%]", "missing", "labelled", "judge", "people", "Rogan-Gladen", "PPI++"],
    ...variants.map(({ variant, missing, labelled, rates }) => [
      printable(variant),
      `${missing}`,
      `${labelled}`,
      formatRate(rates.judge),
      formatRate(rates.people),
      formatCorrected(rates.roganGladen),
      formatCorrected(rates.ppi),
    ]),
  ]);
}

function formatKappa({ value, low, high }: JudgeAgreement["kappa"]): string {
  if (value === undefined) return "undefined";
  if (low === undefined || high === undefined) return value.toFixed(2);
  return `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

function formatCorrected({ rate, low, high, why }: CorrectedRate): string {
  if (rate === undefined) return why ?? "";
  const known: Pick<ClusteredRate, "rate" | "low" | "high"> = { rate, low, high };
  return formatRate(known);
}
