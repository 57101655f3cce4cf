import { evaluateArms } from "../../rates/evaluate-arms.ts";
import { readArms, readEvaluationFile } from "../../rates/read-evaluation.ts";
import type { EvaluationFile } from "../../rates/read-evaluation.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { ConfigError } from "../../util/errors.ts";
import { formatEvaluation } from "../../verbs/show/evaluation.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { checkOutputFiles } from "../output-files.ts";

export const evaluateCommand: Command = {
  name: "evaluate",
  summary: "Rates of a behaviour for several arms and training seeds, with intervals",
  positionals: "[FILE]",
  description: `
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

A measure is a number for the run, or a file of rows {id, value} to be compared item by item. Without FILE the flags say the same.

Printed for each variant: the rate with its 95% interval, rollouts of one prompt and of one seed taken as hanging together;
the difference to the baseline on the same prompts; its two-sided p-value, adjusted for the number of arms (Holm); and the
reduction 1 - rate / baseline's rate. Then the same against each control. Missing verdicts are in no rate.

  culprit evaluate --arm whole=m1-s1.jsonl,1 --arm whole=m1-s2.jsonl,2 --arm filter=f-s1.jsonl,1 --baseline whole`,
  flags: {
    arm: {
      type: "string",
      value: "NAME=VERDICTS[,SEED]",
      multiple: true,
      describe:
        "One run of an arm; several with the same NAME are its training seeds. Default: those of FILE.",
    },
    baseline: {
      type: "string",
      value: "NAME",
      describe:
        "The arm trained on the data as they were. Default: that of FILE, or the first arm.",
    },
    control: {
      type: "string",
      value: "NAME",
      multiple: true,
      describe:
        "An arm with a random edit of the same size, to compare the others with. Default: those of FILE, or none.",
    },
    variants: {
      type: "string",
      value: "LIST",
      describe: "Variants to report. Default: all that have verdicts.",
    },
    bootstrap: {
      type: "string",
      value: "N",
      describe: "Replicates of the percentile bootstrap in the JSON output. Default 2000.",
    },
    seed: { type: "string", value: "N", describe: "Seed of the bootstrap. Default 0." },
    out: {
      type: "string",
      value: "FILE",
      describe: "Also write the result as JSON. Default: stdout only.",
    },
    force: { type: "boolean", describe: "Replace an existing --out." },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const out = args.text("out");
  const replicates = args.integer("bootstrap", { min: 0, max: 100_000 });
  const seed = args.integer("seed");
  const file = await readSettings(args);
  if (out !== undefined) {
    const inputs = [...args.positionals, ...filesOf(file)];
    checkOutputFiles([out], { isForced: args.has("force"), inputs });
  }
  const variants = args.list("variants").length > 0 ? args.list("variants") : file.variants;
  const evaluation = evaluateArms(await readArms(file.arms), {
    baseline: args.text("baseline") ?? file.baseline,
    controls: args.texts("control").length > 0 ? args.texts("control") : (file.controls ?? []),
    variants,
    replicates,
    seed,
  });
  const json = JSON.stringify(evaluation, undefined, 2);
  if (out !== undefined) await writeFileAtomic(out, `${json}\n`);
  context.print(args.has("json") ? json : formatEvaluation(evaluation));
}

function filesOf({ arms }: EvaluationFile): string[] {
  return arms
    .flatMap(({ runs }) =>
      runs.flatMap(({ verdicts, measures }) => [verdicts, ...Object.values(measures)]),
    )
    .filter((each) => typeof each === "string");
}

async function readSettings(args: ParsedArguments): Promise<EvaluationFile> {
  const [path, second] = args.positionals;
  const words = args.texts("arm");
  if (second !== undefined || (path === undefined) === (words.length === 0)) {
    throw new ConfigError("evaluate: expected one file, or --arm flags", {
      hint: "culprit evaluate --help shows both.",
    });
  }
  if (path !== undefined) return readEvaluationFile(path);
  const arms = new Map<string, { seed: string; verdicts: string; measures: {} }[]>();
  for (const word of words) {
    const match = /^([^=]+)=(.+?)(?:,([^,/\\]+))?$/.exec(word);
    if (match === null) {
      throw new ConfigError(`--arm: expected NAME=VERDICTS[,SEED], got "${word}"`);
    }
    const [, name, verdicts, seed] = match;
    const runs = arms.get(name!) ?? [];
    arms.set(name!, runs);
    runs.push({ seed: seed ?? `${runs.length + 1}`, verdicts: verdicts!, measures: {} });
  }
  return {
    baseline: [...arms.keys()][0]!,
    controls: undefined,
    variants: undefined,
    arms: [...arms].map(([name, runs]) => ({ name, runs })),
  };
}
