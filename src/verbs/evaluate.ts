import { z } from "zod";

import { evaluateArms } from "../rates/evaluate-arms.ts";
import { EVALUATION, type Evaluation } from "../rates/evaluation.ts";
import {
  type EvaluationFile,
  listFiles,
  readArms,
  readEvaluationFile,
  type RunFiles,
} from "../rates/read-evaluation.ts";
import { ConfigError } from "../util/errors.ts";
import { seed, nonEmpty, whole } from "../util/setting-kinds.ts";
import { resultOutput } from "./outputs.ts";
import { formatEvaluation } from "./show/evaluation.ts";
import { defineVerb, type Input, need } from "./verb.ts";

/** Arms, with the files of each run. */
const armsInput = {
  kind: "arms",
  placeholder: "FILE",
  describe: "One file of arms and their runs, YAML or JSON.",
  isOptional: true,
  open: ([path = ""]) => readEvaluationFile(path),
  files: ({ arms }) => listFiles(arms),
} as const satisfies Input<EvaluationFile>;

const evaluationSettings = z.strictObject({
  baseline: nonEmpty.optional().meta({
    description:
      "The arm trained on the data as they were. Absent: that of the file, or the first arm.",
    placeholder: "NAME",
  }),
  controls: z.array(nonEmpty).optional().meta({
    description:
      "Arms with a random edit of the same size, to compare the others with. Absent: those of the file, or none.",
    placeholder: "NAME",
    isWhole: true,
  }),
  variants: z
    .array(nonEmpty)
    .min(1)
    .optional()
    .describe("Variants to report. Absent: those of the file, or all that have verdicts."),
  replicates: whole
    .max(100_000)
    .default(2000)
    .describe("Replicates of the percentile bootstrap in the JSON output; 0: none."),
  seed: seed.default(0).describe("Seed of the bootstrap."),
});

export const evaluate = defineVerb({
  name: "evaluate",
  summary: "Rates of a behaviour for several arms and training seeds, with intervals",
  about: `
Each arm is what was done to the data before training; each of its runs is one training seed, with the verdict file that
culprit judge wrote of its rollouts. FILE names them, in YAML or JSON:

  baseline: whole mix
  controls: [random filter]
  arms:
    - name: whole mix
      runs:
        - {seed: 1, verdicts: whole-1.jsonl, measures: {preference accuracy: accuracy-1.jsonl}}
    - name: filter
      runs: [{seed: 1, verdicts: filter-1.jsonl, measures: {preference accuracy: 0.81}}]
    - name: random filter
      runs: [{seed: 1, verdicts: random-1.jsonl}]

A measure is a number for the run, or a file of rows {id, value} to be compared item by item; capabilities: FILE takes what
culprit capabilities wrote. Without FILE the flags say the same.

Printed for each variant: the rate with its 95% interval, rollouts of one prompt and of one seed taken as hanging together;
the difference to the baseline on the same prompts; its two-sided p-value, adjusted for the number of arms (Holm); and the
reduction 1 - rate / baseline's rate. Then the same against each control. Missing verdicts are in no rate.

  culprit evaluate --arm whole=m1-s1.jsonl,1 --arm whole=m1-s2.jsonl,2 --arm filter=f-s1.jsonl,1 --baseline whole`,
  version: 1,
  inputs: {
    file: { ...armsInput, isPositional: true },
    arm: {
      ...armsInput,
      placeholder: "NAME=VERDICTS[,SEED]",
      describe: "One run of an arm; several with the same NAME are its training seeds.",
      isMany: true,
      open: (words) => Promise.resolve(toArms(words)),
    },
  },
  settings: evaluationSettings,
  check: (_settings, given) =>
    need(
      given.has("file") !== given.has("arm"),
      ["arm"],
      `expected it, or one file of arms, got ${given.has("arm") ? "both" : "neither"}`,
    ),
  outputs: { out: resultOutput(EVALUATION, "The result to write, as JSON.") },
  run: async ({ file, arm }, settings): Promise<Evaluation> => {
    const { arms, ...named } = file ?? arm!; // check
    const {
      baseline = named.baseline,
      controls = named.controls,
      variants = named.variants,
    } = settings;
    return evaluateArms(await readArms(arms), { ...settings, baseline, controls, variants });
  },
  show: formatEvaluation,
});

function toArms(words: readonly string[]): EvaluationFile {
  const arms = new Map<string, RunFiles[]>();
  for (const word of words) {
    const match = /^([^=]+)=(.+?)(?:,([^,/\\]+))?$/.exec(word);
    if (match === null) throw new ConfigError(`arm: expected NAME=VERDICTS[,SEED], got "${word}"`);
    const [, name, verdicts, given] = match;
    const runs = arms.get(name!) ?? [];
    arms.set(name!, runs);
    runs.push({ seed: given ?? `${runs.length + 1}`, verdicts: verdicts!, measures: {} });
  }
  return {
    baseline: [...arms.keys()][0]!,
    controls: undefined,
    variants: undefined,
    arms: [...arms].map(([name, runs]) => ({ name, runs })),
  };
}
