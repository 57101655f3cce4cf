import { readBasePrompts } from "../../rollouts/base-prompts.ts";
import { composeScenarios } from "../../rollouts/compose-scenarios.ts";
import {
  BUILT_IN_POOL,
  type Constraint,
  readConstraints,
  selectConstraints,
} from "../../rollouts/constraints.ts";
import { readScenarios } from "../../rollouts/scenarios.ts";
import { splitScenarios } from "../../rollouts/split-scenarios.ts";
import { writeScenarios } from "../../rollouts/write-scenarios.ts";
import { ConfigError } from "../../util/errors.ts";
import { printable } from "../../util/text-table.ts";
import {
  formatScenarios,
  type MadeScenarios,
  summariseScenarios,
} from "../../verbs/show/scenarios.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { expectFlagsOfWay } from "../flag-ways.ts";
import { checkOutputFiles } from "../output-files.ts";
import { resolveRemote } from "../pair-flags.ts";
import { onlyPositional, requiredPositionals } from "../required.ts";
import { warnOfUnknownKeys } from "../sampling-flags.ts";

export const scenariosCommand: Command = {
  name: "scenarios",
  summary: "Scenarios composed of base prompts and formatting constraints, split into halves",
  positionals: "BASES...",
  description: `
BASES are files of requests: rows {"prompt"} or {"base"} (JSONL, JSON, CSV, Parquet, a YAML list), preference pairs of any
shape, whose prompts are taken, or .txt with one request a line; each also .gz. Prompts of several turns are skipped and counted.

Each base prompt gets --per-base constraints of the pool as distractors: a list of our own with ids of IFEval's kind (--list
shows it), files of {"id", "text", "tags"?}, or both. Which ones depends on --seed, the base prompt and the constraint alone, so
the same input gives the same file, and another base prompt changes nothing for the others. A scenario is tagged with its
constraint's id, family and tags. Base prompts that differ in white space and case alone are merged.

With --out-probe and --out-evaluation the scenarios are split into halves that share no base prompt (those that differ in white
space, case and punctuation alone count as one): probe with the one, evaluate with the other. --split-only splits a scenarios
file as it is.

  culprit scenarios prompts.jsonl --out scenarios.jsonl
  culprit scenarios pairs.jsonl.gz --per-base 2 --only detectable_format,length_constraints \\
    --out-probe probe.jsonl --out-evaluation evaluation.jsonl
  culprit scenarios scenarios.yaml --split-only --out-probe probe.jsonl --out-evaluation evaluation.jsonl
  culprit scenarios --list`,
  flags: {
    constraints: {
      type: "string",
      value: "FILE",
      multiple: true,
      describe: `Constraints, JSONL, JSON, CSV or a YAML list; repeatable. ${BUILT_IN_POOL}: those that ship. Default: ${BUILT_IN_POOL}.`,
    },
    only: {
      type: "string",
      value: "NAMES",
      multiple: true,
      describe:
        "Only these constraints of the pool: ids, or beginnings of ids up to a colon, such as a family. Default: all.",
    },
    "per-base": {
      type: "string",
      value: "N",
      describe: "Constraints for each base prompt, all different. Default: 1.",
    },
    seed: {
      type: "string",
      value: "N",
      describe: "Seed of the draw and of the split. Default: 0.",
    },
    limit: { type: "string", value: "N", describe: "Read the first N rows only. Default: all." },
    out: {
      type: "string",
      value: "FILE.jsonl",
      describe: "All scenarios, JSON lines. Default: none.",
    },
    "out-probe": {
      type: "string",
      value: "FILE.jsonl",
      describe: "The half to make the probe from. Default: none.",
    },
    "out-evaluation": {
      type: "string",
      value: "FILE.jsonl",
      describe: "The half to evaluate with. Default: none.",
    },
    "probe-share": {
      type: "string",
      value: "P",
      describe: "Share of the base prompts in the probe's half. Default: 0.5.",
    },
    "split-only": {
      type: "boolean",
      describe: "BASES is one scenarios file: compose nothing, split it.",
    },
    list: { type: "boolean", describe: "Print the constraints of the pool and do nothing else." },
    force: { type: "boolean", describe: "Replace output files that are there." },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  expectOneWay(args);
  if (args.has("list")) return listConstraints(args, context);
  const outputs = readOutputs(args);
  const { scenarios, composed, skipped } = args.has("split-only")
    ? await readExisting(args, outputs.paths, context)
    : await compose(args, outputs.paths, context);
  const split =
    outputs.halves === undefined ? undefined : splitScenarios(scenarios, readSplitOptions(args));
  if (outputs.all !== undefined) await writeScenarios(outputs.all, scenarios);
  if (outputs.halves !== undefined && split !== undefined) {
    await writeScenarios(outputs.halves.probe, split.probe.scenarios);
    await writeScenarios(outputs.halves.evaluation, split.evaluation.scenarios);
  }
  const result = summariseScenarios({ scenarios, composed, skipped, split });
  context.print(
    args.has("json")
      ? JSON.stringify({ files: outputs.paths, ...result }, undefined, 2)
      : [...outputs.paths.map((path) => `written: ${path}`), "", ...formatScenarios(result)].join(
          "\n",
        ),
  );
}

/** Throws ConfigError for flags of something else than is to be done. */
function expectOneWay(args: ParsedArguments): void {
  const isList = args.has("list");
  const isSplitOnly = !isList && args.has("split-only");
  const pool = ["constraints", "only"];
  const halves = ["out-probe", "out-evaluation", "probe-share", "seed", "force"];
  expectFlagsOfWay(args, [
    { name: "--list", isOn: isList, flags: pool },
    { name: "--split-only", isOn: isSplitOnly, flags: ["split-only", ...halves] },
    {
      name: "composing",
      isOn: !isList && !isSplitOnly,
      flags: [...pool, ...halves, "per-base", "limit", "out"],
    },
  ]);
}

interface Outputs {
  readonly all: string | undefined;
  readonly halves: { readonly probe: string; readonly evaluation: string } | undefined;
  readonly paths: readonly [string, ...string[]];
}

function readOutputs(args: ParsedArguments): Outputs {
  const all = args.text("out");
  const probe = args.text("out-probe");
  const evaluation = args.text("out-evaluation");
  if ((probe === undefined) !== (evaluation === undefined)) {
    throw new ConfigError("scenarios: expected both --out-probe and --out-evaluation, got one");
  }
  const halves =
    probe === undefined || evaluation === undefined ? undefined : { probe, evaluation };
  const named = [all, probe, evaluation].filter((path) => path !== undefined);
  const [first, ...others] = new Set(named);
  if (others.length + 1 < named.length) {
    throw new ConfigError("scenarios: expected different files for the outputs, got one twice");
  }
  if (first === undefined) {
    throw new ConfigError("scenarios: expected --out, or --out-probe and --out-evaluation", {
      hint: "culprit scenarios --help shows examples.",
    });
  }
  expectFlagsOfWay(args, [
    {
      name: "--out-probe and --out-evaluation",
      isOn: halves !== undefined,
      flags: ["probe-share"],
    },
  ]);
  return { all, halves, paths: [first, ...others] };
}

async function readExisting(
  args: ParsedArguments,
  paths: Outputs["paths"],
  context: CommandContext,
): Promise<MadeScenarios> {
  const path = onlyPositional(args, "scenarios", "one scenarios file to split");
  checkOutputFiles(paths, { isForced: args.has("force"), inputs: [path] });
  const { scenarios, unknownKeys } = await readScenarios(path);
  warnOfUnknownKeys(path, unknownKeys, context);
  return { scenarios, composed: undefined, skipped: {} };
}

async function compose(
  args: ParsedArguments,
  paths: Outputs["paths"],
  context: CommandContext,
): Promise<MadeScenarios> {
  const patterns = requiredPositionals(args, "scenarios", "files of base prompts");
  const perBase = args.integer("per-base", { min: 1 }) ?? 1;
  const seed = args.integer("seed") ?? 0;
  const pool = await readPool(args);
  const check = (inputs: readonly string[]): void =>
    checkOutputFiles(paths, { isForced: args.has("force"), inputs });
  check(args.texts("constraints"));
  const { prompts, files, skipped } = await readBasePrompts(patterns, {
    limit: args.integer("limit", { min: 1 }),
    resolveRemote: resolveRemote(context),
    signal: context.signal,
  });
  check(files);
  const composed = composeScenarios(prompts, pool, { perBase, seed });
  return { scenarios: composed.scenarios, composed: { ...composed, pool }, skipped };
}

async function readPool(args: ParsedArguments): Promise<readonly Constraint[]> {
  const files = args.texts("constraints");
  const pool = await readConstraints(files.length === 0 ? [BUILT_IN_POOL] : files);
  const only = args.list("only");
  return only.length === 0 ? pool : selectConstraints(pool, only);
}

function readSplitOptions(args: ParsedArguments): { probeShare: number; seed: number } {
  return {
    probeShare: args.number("probe-share", { min: 0, max: 1 }) ?? 0.5,
    seed: args.integer("seed") ?? 0,
  };
}

async function listConstraints(args: ParsedArguments, context: CommandContext): Promise<void> {
  const pool = await readPool(args);
  context.print(
    args.has("json")
      ? JSON.stringify(pool, undefined, 2)
      : pool.map(({ id, text }) => `${printable(id)}\n    ${printable(text, 120)}`).join("\n"),
  );
}
