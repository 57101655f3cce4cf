import { join } from "node:path";

import { readExperiment } from "../../experiment/read-experiment.ts";
import { experimentJsonSchema } from "../../experiment/schema.ts";
import { settingsTable } from "../../experiment/settings-table.ts";
import { STAGE_KINDS } from "../../experiment/stage.ts";
import { expectFlagsOfWay, onlyPositional } from "../arguments.ts";
import { asJson, type Command, type CommandContext, type ParsedArguments } from "../command.ts";
import { printPlan, runAndPrint } from "../run-and-print.ts";

export const runCommand: Command = {
  name: "run",
  summary: "Runs an experiment file: every stage, each only where its inputs or settings changed",
  positionals: "EXPERIMENT",
  description: `
EXPERIMENT is a YAML file; examples/ has some, docs/experiments.md explains them. Paths in it are relative to the file.

Every stage writes a folder DIR/stages/STAGE-HASH, the hash being that of its inputs' contents and its settings. A
second run does only what changed. A run that was killed, at any moment, goes on where it was when the same command is
given again, and ends in the same files. DIR/run.json holds settings, versions, hashes, times and costs; culprit status
DIR shows them.

  culprit run examples/own-checkpoints.yaml
  culprit run my.yaml --out runs/my --until rank`,
  flags: {
    out: {
      type: "string",
      value: "DIR",
      describe:
        "The experiment's folder. Default: culprit-out/NAME, NAME being that of the experiment.",
    },
    until: {
      type: "string",
      value: "STAGE",
      describe: `Runs this stage and those that it needs, and prints what it found: ${STAGE_KINDS.join(", ")}, a further verb, or the id of one stage. Default: all stages.`,
    },
    "force-stage": {
      type: "string",
      value: "STAGES",
      multiple: true,
      describe:
        "Makes these stages again whatever is there: kinds, or ids as culprit status shows them. Answers of endpoints are kept; those without text or that the rubric cannot read are asked for again. Default: none.",
    },
    "dry-run": {
      type: "boolean",
      describe:
        "Runs nothing: prints every stage, what is there and what would run, with time, tokens, money and disk.",
    },
    schema: {
      type: "boolean",
      describe: "Prints the JSON Schema of experiment files, for editors, and ends.",
    },
    settings: { type: "boolean", describe: "Prints a table of all settings and ends." },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const isShown = args.has("schema") || args.has("settings");
  const isDry = args.has("dry-run");
  expectFlagsOfWay(args, [
    { name: "--schema and --settings", isOn: isShown, flags: [] },
    {
      name: "--dry-run",
      isOn: isDry && !isShown,
      flags: ["dry-run", "out", "until", "force-stage"],
    },
    { name: "a run", isOn: !isDry && !isShown, flags: ["out", "until", "force-stage"] },
  ]);
  if (args.has("schema")) return context.print(asJson(experimentJsonSchema()));
  if (args.has("settings")) return context.print(settingsTable());
  const path = onlyPositional(args, "run", "one experiment file");
  const until = args.text("until");
  const file = await readExperiment(path);
  const out = args.text("out") ?? join("culprit-out", file.experiment.name);
  const force = args.list("force-stage");
  if (isDry) {
    return printPlan(file, { out, until, force }, { isJson: args.has("json"), context });
  }
  await runAndPrint(file, { out, until, force }, { isJson: args.has("json"), context });
}
