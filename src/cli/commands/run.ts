import { join } from "node:path";

import { ENGINES } from "../../engine/engines.ts";
import { type ExperimentFile, readExperiment } from "../../experiment/read-experiment.ts";
import { experimentJsonSchema } from "../../experiment/schema.ts";
import { settingsTable } from "../../experiment/settings-table.ts";
import { STAGE_KINDS } from "../../experiment/stage.ts";
import { serveReport } from "../../serve/serve-report.ts";
import { ConfigError } from "../../util/errors.ts";
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

On a terminal the stages around the one at work are shown with its rate, the time left and what was spent so far, elsewhere a
line for each. --serve shows the same on a page of 127.0.0.1, with the report, which fills as stages end; it stays after the
run until Ctrl-C.

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
    serve: {
      type: "boolean",
      describe:
        "Serves the run's progress and report on 127.0.0.1 from the beginning, and on until Ctrl-C (docs/report.md).",
    },
    port: {
      type: "string",
      value: "N",
      describe: "With --serve: the port, from 1 to 65535. Default: a free one.",
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
    {
      name: "a run",
      isOn: !isDry && !isShown,
      flags: ["out", "until", "force-stage", "serve"],
    },
    { name: "--serve", isOn: args.has("serve"), flags: ["port"] },
  ]);
  const port = readPort(args);
  if (args.has("schema")) return context.print(asJson(experimentJsonSchema()));
  if (args.has("settings")) return context.print(settingsTable());
  const path = onlyPositional(args, "run", "one experiment file");
  const until = args.text("until");
  const file = await readExperiment(path);
  const out = args.text("out") ?? join("culprit-out", file.experiment.name);
  const force = args.list("force-stage");
  const print = { isJson: args.has("json"), context };
  const options = { out, until, force };
  const work = isDry
    ? printPlan(file, options, print)
    : args.has("serve")
      ? runServed(file, options, print, port)
      : runAndPrint(file, options, print);
  await work.catch((error: unknown) => {
    throw withFlag(error);
  });
}

/** The library calls these options by other names than the flags. */
const FLAG_OF: Readonly<Record<string, string>> = { until: "--until", force: "--force-stage" };

function withFlag(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const [, option = "", rest = ""] = /^(\w+)(: .*)$/s.exec(error.message) ?? [];
  const flag = FLAG_OF[option];
  if (flag === undefined) return error;
  return new ConfigError(`${flag}${rest}`, { hint: error.hint, cause: error });
}

/** Runs beside a server of the run's folder, which stays until it is stopped. */
async function runServed(
  file: ExperimentFile,
  options: Parameters<typeof runAndPrint>[1],
  print: Parameters<typeof runAndPrint>[2],
  port: number | undefined,
): Promise<void> {
  const { log, warn, signal } = print.context;
  const ended = new AbortController();
  const served = await serveReport(options.out, {
    port,
    mayWait: true,
    warn,
    host: ENGINES[0],
    signal: AbortSignal.any([signal, ended.signal]),
  });
  log(`${served.url}  shows the run; open it in a browser`);
  try {
    await runAndPrint(file, options, print);
    log(`${served.url}  stays until Ctrl-C`);
    await served.ended;
  } finally {
    ended.abort();
    await served.ended;
  }
}

function readPort(args: ParsedArguments): number | undefined {
  const text = args.text("port");
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new ConfigError(`--port: expected a whole number from 1 to 65535, got "${text}"`);
}
