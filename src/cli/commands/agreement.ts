import { labelsOfJudges, readHumanLabels } from "../../judge/human-labels.ts";
import { readVerdicts } from "../../judge/verdict.ts";
import { judgeBesidePeople } from "../../rates/judge-beside-people.ts";
import { ConfigError } from "../../util/errors.ts";
import { formatBesidePeople, uncheckedLabels } from "../../verbs/show/agreement.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { onlyPositional, requiredText } from "../required.ts";

export const agreementCommand: Command = {
  name: "agreement",
  summary: "How far a judge agrees with people, and rates corrected for its errors",
  positionals: "VERDICTS",
  description: `
VERDICTS is what culprit judge wrote of all rollouts; --labels has what people said of some of them, drawn by chance: a file
of culprit judge --review, a verdict file, or rows {"rollout", "label": shows or not}.

Printed: agreement, Cohen's kappa, precision and recall by class, and for each variant the rate as the judge says, as the
labelled rollouts alone say, and corrected in two ways, Rogan-Gladen and prediction-powered (PPI++). Every interval is at 95% and
takes rollouts of one request as hanging together. Rollouts without a verdict or a label are in no figure, and counted.

Labels of --review have a hash of the prompt and response ("content"), as verdicts do: where they differ for one rollout, the
labels are of other rollouts with the same ids, and are refused. Labels without it are matched by id alone.

  culprit agreement verdicts.jsonl --labels labels.csv`,
  flags: {
    labels: { type: "string", value: "FILE", describe: "What people said." },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const path = onlyPositional(args, "agreement", "one file of verdicts");
  const labelsPath = requiredText(args, "agreement", "labels");
  const verdicts = await readVerdicts(path);
  const found = judgeBesidePeople(verdicts, await readHumanLabels(labelsPath));
  const judges = new Set(verdicts.flatMap(({ judge }) => judge ?? []));
  const own = await labelsOfJudges(labelsPath, judges);
  if (own > 0) {
    context.warn(
      `${labelsPath}: ${own} labels are verdicts of the judge of ${path} itself: how far it agrees with itself says nothing of its errors`,
    );
  }
  const { foreign, unchecked, agreement } = found;
  if (foreign > 0) context.warn(`${labelsPath}: ${foreign} labels of rollouts not in ${path}`);
  if (agreement.labelled === 0) {
    throw new ConfigError(
      `${labelsPath}: expected labels of rollouts with a verdict in ${path}, got none`,
      { hint: "Both files name rollouts by id: take labels of the rollouts that were judged." },
    );
  }
  if (unchecked > 0) context.warn(uncheckedLabels(labelsPath, unchecked));
  context.print(
    args.has("json") ? JSON.stringify(found, undefined, 2) : formatBesidePeople(found).join("\n"),
  );
}
