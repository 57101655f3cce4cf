import { z } from "zod";

import { labelsOfJudges, readHumanLabels } from "../judge/human-labels.ts";
import { readVerdicts } from "../judge/verdict.ts";
import { AGREEMENT, judgeBesidePeople } from "../rates/judge-beside-people.ts";
import { ConfigError } from "../util/errors.ts";
import { labelsInput, verdictsInput } from "./inputs/files.ts";
import { resultOutput } from "./outputs.ts";
import { formatBesidePeople, uncheckedLabels } from "./show/agreement.ts";
import { defineVerb } from "./verb.ts";

export const agreement = defineVerb({
  name: "agreement",
  summary: "How far a judge agrees with people, and rates corrected for its errors",
  about: `
VERDICTS is what culprit judge wrote of all rollouts; --labels has what people said of some of them, drawn by chance: a file
of culprit review, a verdict file, or rows {"rollout", "label": shows or not}.

Printed: agreement, Cohen's kappa, precision and recall by class, and for each variant the rate as the judge says, as the
labelled rollouts alone say, and corrected in two ways, Rogan-Gladen and prediction-powered (PPI++). Every interval is at 95% and
takes rollouts of one request as hanging together. Rollouts without a verdict or a label are in no figure, and counted.

Labels of culprit review have a hash of the prompt and response ("content"), as verdicts do: where they differ for one rollout,
the labels are of other rollouts with the same ids, and are refused. Labels without it are matched by id alone.

  culprit agreement verdicts.jsonl --labels labels.csv`,
  version: 6,
  inputs: { verdicts: { ...verdictsInput, isPositional: true }, labels: labelsInput },
  settings: z.strictObject({}),
  outputs: { out: resultOutput(AGREEMENT, "Also write the result as JSON.") },
  run: async ({ verdicts: path, labels }, _settings, { warn }) => {
    const verdicts = await readVerdicts(path);
    const said = await readHumanLabels(labels);
    const found = judgeBesidePeople(verdicts, said);
    const judges = new Set(verdicts.flatMap(({ judge }) => judge ?? []));
    const own = await labelsOfJudges(labels, judges);
    if (own > 0) {
      warn(
        `${labels}: ${own} labels are verdicts of the judge of ${path} itself: how far it agrees with itself says nothing of its errors`,
      );
    }
    const { foreign, unchecked } = found;
    if (foreign > 0) warn(`${labels}: ${foreign} labels of rollouts not in ${path}`);
    if (found.agreement.labelled === 0) {
      throw new ConfigError(
        `labels: expected labels of rollouts with a verdict, got none of ${said.size}`,
        { hint: "Both files name rollouts by id: take labels of the rollouts that were judged." },
      );
    }
    if (unchecked > 0) warn(uncheckedLabels(labels, unchecked));
    return found;
  },
  show: (found) => formatBesidePeople(found).join("\n"),
});
