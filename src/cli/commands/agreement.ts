import {
  type ClusteredRate,
  type CorrectedRate,
  correctedRates,
  type CorrectedRates,
  type HumanLabels,
  judgeAgreement,
  type JudgeAgreement,
  judgeCells,
  readHumanLabels,
  readVerdicts,
  type Verdict,
} from "../../index.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { formatRate } from "../evaluation-table.ts";
import { onlyPositional, requiredText } from "../required.ts";
import { printable, textTable } from "../text-table.ts";

export const agreementCommand: Command = {
  name: "agreement",
  summary: "How far a judge agrees with people, and rates corrected for its errors",
  positionals: "VERDICTS",
  description: `
VERDICTS is what culprit judge wrote of all rollouts; --labels has what people said of some of them, drawn by chance: a file
of culprit judge --review, a verdict file, or rows {"rollout", "label": shows or not}.

Printed: agreement, Cohen's kappa, precision and recall by class, and for each variant the rate as the judge says, as the
labelled rollouts alone say, and corrected in two ways, Rogan-Gladen and prediction-powered (PPI++). Every interval is at 95% and
takes rollouts of one prompt as hanging together. Rollouts without a verdict or a label are in no figure, and counted.

  culprit agreement verdicts.jsonl --labels labels.csv`,
  flags: {
    labels: { type: "string", value: "FILE", describe: "What people said." },
  },
  run,
};

interface VariantRates {
  readonly variant: string;
  readonly rates: CorrectedRates;
}

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const path = onlyPositional(args, "agreement", "one file of verdicts");
  const labelsPath = requiredText(args, "agreement", "labels");
  const verdicts = await readVerdicts(path);
  const labels = await readHumanLabels(labelsPath);
  const known = new Set(verdicts.map(({ rollout }) => rollout));
  const foreign = [...labels.keys()].filter((rollout) => !known.has(rollout)).length;
  if (foreign > 0) context.warn(`${labelsPath}: ${foreign} labels of rollouts not in ${path}`);
  const agreement = judgeAgreement(judgeCells(verdicts, labels));
  if (agreement.labelled === 0) context.warn("no rollout has both a verdict and a label");
  const variants = ratesByVariant(verdicts, labels);
  const counts = { verdicts: verdicts.length, labels: labels.size, foreign };
  context.print(
    args.has("json")
      ? JSON.stringify({ ...counts, agreement, variants }, undefined, 2)
      : format(agreement, variants),
  );
}

function ratesByVariant(
  verdicts: readonly Verdict[],
  labels: HumanLabels,
): readonly VariantRates[] {
  return [...new Set(verdicts.map(({ variant }) => variant))].map((variant) => {
    const own = verdicts.filter((verdict) => verdict.variant === variant);
    return { variant, rates: correctedRates(judgeCells(own, labels)) };
  });
}

function format(agreement: JudgeAgreement, variants: readonly VariantRates[]): string {
  const { labelled, bothShow, neither, judgeOnly, personOnly, kappa, classes } = agreement;
  return [
    `${labelled} rollouts with a verdict and a label: ${bothShow} shows and ${neither} not for both, ${judgeOnly} shows for the judge alone, ${personOnly} for people alone`,
    `agreement ${formatRate(agreement.agreement)}, kappa ${formatKappa(kappa)}`,
    ...textTable([
      ["class", "precision [95%]", "recall [95%]"],
      ...(["shows", "not"] as const).map((name) => [
        name,
        formatRate(classes[name].precision),
        formatRate(classes[name].recall),
      ]),
    ]),
    "",
    ...textTable([
      ["rate [95%]", "judge", "people", "Rogan-Gladen", "PPI++"],
      ...variants.map(({ variant, rates }) => [
        printable(variant),
        formatRate(rates.judge),
        formatRate(rates.people),
        formatCorrected(rates.roganGladen),
        formatCorrected(rates.ppi),
      ]),
    ]),
  ].join("\n");
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
