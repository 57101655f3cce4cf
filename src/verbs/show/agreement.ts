import type { JudgeAgreement } from "../../rates/judge-agreement.ts";
import type { JudgeBesidePeople } from "../../rates/judge-beside-people.ts";
import type { CorrectedRate } from "../../rates/judge-cells.ts";
import { countPrompts, fixed, formatRate, withInterval } from "../../util/figures.ts";
import { printable, tableOf } from "../../util/text-table.ts";

/** What `culprit agreement` prints. */
export function formatBesidePeople(found: JudgeBesidePeople): string[] {
  const { agreement, variants } = found;
  const { labelled, bothShow, neither, judgeOnly, personOnly, classes } = agreement;
  return [
    `${labelled} rollouts with a verdict and a label: ${bothShow} shows and ${neither} not for both, ${judgeOnly} shows for the judge alone, ${personOnly} for people alone`,
    formatAgreement(agreement),
    ...formatRequests(found),
    ...tableOf(["shows", "not"] as const, [
      ["class", (name) => name],
      ["precision [95%]", (name) => formatRate(classes[name].precision)],
      ["recall [95%]", (name) => formatRate(classes[name].recall)],
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
  const { value } = kappa;
  const shown = value === undefined ? "undefined" : withInterval(value, kappa, fixed(2));
  return `agreement ${formatRate(agreement)}, kappa ${shown}`;
}

/** A line for each variant, a column for each way to the rate. */
export function formatCorrectedRates(variants: JudgeBesidePeople["variants"]): string[] {
  return tableOf(variants, [
    ["rate [95%]", ({ variant }) => printable(variant)],
    ["missing", ({ missing }) => missing],
    ["labelled", ({ labelled }) => labelled],
    ["judge", ({ rates }) => formatRate(rates.judge)],
    ["people", ({ rates }) => formatRate(rates.people)],
    ["Rogan-Gladen", ({ rates }) => formatCorrected(rates.roganGladen)],
    ["PPI++", ({ rates }) => formatCorrected(rates.ppi)],
  ]);
}

function formatCorrected({ why = "", ...rate }: CorrectedRate): string {
  return rate.rate === undefined ? why : formatRate(rate);
}
