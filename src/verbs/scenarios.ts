import { z } from "zod";

import { type BasePrompts, readBasePrompts } from "../rollouts/base-prompts.ts";
import { composeScenarios } from "../rollouts/compose-scenarios.ts";
import {
  BUILT_IN_POOL,
  type Constraint,
  readConstraints,
  selectConstraints,
} from "../rollouts/constraints.ts";
import { readScenarios, SCENARIOS } from "../rollouts/scenarios.ts";
import { type ScenarioSplit, splitScenarios } from "../rollouts/split-scenarios.ts";
import { writeScenarios } from "../rollouts/write-scenarios.ts";
import { ConfigError } from "../util/errors.ts";
import { count, positive, seed, nonEmpty } from "../util/setting-kinds.ts";
import { printable } from "../util/text-table.ts";
import { openingOptions, otherFile } from "./inputs/files.ts";
import { noteColumns } from "./inputs/note-columns.ts";
import { describeUnknownKeys } from "./inputs/prompts.ts";
import {
  formatScenarios,
  type MadeScenarios,
  type ScenariosSummary,
  summariseScenarios,
} from "./show/scenarios.ts";
import { defineVerb, type Input } from "./verb.ts";

/** How requests and constraints are drawn and split. */
export const scenarioSettings = z.strictObject({
  only: z
    .array(nonEmpty)
    .min(1)
    .optional()
    .describe(
      "These constraints of the pool only: ids, or beginnings of ids up to a colon, such as a family. Absent: all.",
    ),
  perBase: count
    .optional()
    .describe("Constraints that each request gets, all different, a scenario each. Absent: 1."),
  probeShare: positive
    .lt(1)
    .optional()
    .describe(
      "Share of the requests that goes to the probe; the rest is for the evaluation. Absent: 0.5.",
    ),
  seed: seed.default(0).describe("Seed of drawing and splitting."),
});
export type ScenarioSettings = z.output<typeof scenarioSettings>;

/** The constraints that scenarios are composed of. */
export async function readPool(
  files: readonly string[] | undefined,
  { only }: Pick<ScenarioSettings, "only">,
): Promise<readonly Constraint[]> {
  const pool = await readConstraints(files ?? [BUILT_IN_POOL]);
  return only === undefined ? pool : selectConstraints(pool, only);
}

const baseSettings = z.strictObject({
  limit: count.optional().describe("Reads the first rows only. Absent: all."),
});

const basesInput = {
  kind: "bases",
  placeholder: "BASES",
  describe: "Files of base prompts.",
  isPositional: true,
  isMany: true,
  isOptional: true,
  settings: baseSettings,
  open: async (paths, { limit }, work) => {
    const read = await readBasePrompts(paths, { limit, ...openingOptions(work) });
    for (const path of read.files) await noteColumns(path, "bases", work);
    return read;
  },
  files: ({ files }) => files,
} as const satisfies Input<BasePrompts, typeof baseSettings>;

const constraintsInput = {
  kind: "constraints",
  placeholder: "FILE",
  describe: `Files of formatting constraints, JSONL, JSON, CSV or a YAML list; ${BUILT_IN_POOL}: those that ship, which is what stands without the flag.`,
  isMany: true,
  isOptional: true,
  open: async (paths, _settings, work) => {
    for (const path of paths) {
      if (path !== BUILT_IN_POOL) await noteColumns(path, "constraints", work);
    }
    return paths;
  },
  files: (paths) => paths,
} as const satisfies Input<readonly string[]>;

const output = { placeholder: "FILE.jsonl", isOptional: true } as const;

/** The scenarios that were written, counted; without any outputs the pool of constraints. */
type Scenarios = ({ readonly files: readonly string[] } & ScenariosSummary) | readonly Constraint[];

export const scenarios = defineVerb({
  name: "scenarios",
  summary: "Scenarios composed of base prompts and formatting constraints, split into halves",
  about: `
BASES are files of requests: rows {"prompt"} or {"base"} (JSONL, JSON, CSV, Parquet, a YAML list), preference pairs of any
shape, whose prompts are taken, or .txt with one request a line; each also .gz. Prompts of several turns are skipped and
counted, and so are lines of .txt that begin with "# " or "//": they are comments.

Each base prompt gets --per-base constraints of the pool as distractors: a list of our own with ids of IFEval's kind (without
BASES and outputs the command prints it), files of {"id", "text", "tags"?}, or both. Which ones depends on --seed, the base
prompt and the constraint alone, so the same input gives the same file, and another base prompt changes nothing for the others.
A scenario is tagged with its constraint's id, family and tags. Base prompts that differ in white space and case alone are merged.

With --out-probe and --out-evaluation the scenarios are split into halves that share no base prompt (those that differ in white
space, case and punctuation alone count as one): probe with the one, evaluate with the other. --scenarios splits a scenarios
file as it is.

  culprit scenarios prompts.jsonl --out scenarios.jsonl
  culprit scenarios pairs.jsonl.gz --per-base 2 --only detectable_format,length_constraints \\
    --out-probe probe.jsonl --out-evaluation evaluation.jsonl
  culprit scenarios --scenarios scenarios.yaml --out-probe probe.jsonl --out-evaluation evaluation.jsonl
  culprit scenarios`,
  version: 1,
  inputs: {
    bases: basesInput,
    constraints: constraintsInput,
    scenarios: {
      ...otherFile("scenarios", SCENARIOS.name, {
        placeholder: "FILE",
        describe: "A scenarios file to split as it is, in the place of BASES.",
      }),
      isOptional: true,
    },
  },
  settings: scenarioSettings,
  outputs: {
    out: {
      ...output,
      artifact: SCENARIOS,
      describe: "All scenarios, JSON lines.",
    },
    outProbe: {
      ...output,
      artifact: { ...SCENARIOS, name: "scenarios.probe.jsonl" },
      describe: "The half to make the probe from.",
    },
    outEvaluation: {
      ...output,
      artifact: { ...SCENARIOS, name: "scenarios.evaluation.jsonl" },
      describe: "The half to evaluate with.",
    },
  },
  run: async (inputs, settings, { out, warn }): Promise<Scenarios> => {
    const files = Object.values(out).filter((path) => path !== undefined);
    expectFitting(inputs, settings, out);
    const { bases, constraints } = inputs;
    if (bases === undefined && inputs.scenarios === undefined) {
      return readPool(constraints, settings);
    }
    const made =
      inputs.scenarios === undefined
        ? compose(bases!, await readPool(constraints, settings), settings) // one of the two is given
        : await readExisting(inputs.scenarios, warn);
    if (out.out !== undefined) await writeScenarios(out.out, made.scenarios);
    const split = await writeHalves(made.scenarios, settings, out);
    return { files, ...summariseScenarios({ ...made, split }) };
  },
  show: (result) =>
    "files" in result
      ? [...result.files.map((path) => `written: ${path}`), "", ...formatScenarios(result)].join(
          "\n",
        )
      : result.map(({ id, text }) => `${printable(id)}\n    ${printable(text, 120)}`).join("\n"),
});

type InputName = "bases" | "constraints" | "scenarios";
type Places = Readonly<Record<"out" | "outProbe" | "outEvaluation", string | undefined>>;

/** Throws ConfigError for what does not go together, or would be passed over. */
function expectFitting(
  { bases, constraints, scenarios: given }: Readonly<Record<InputName, unknown>>,
  { only, perBase, probeShare }: ScenarioSettings,
  { out, outProbe, outEvaluation }: Places,
): void {
  if (bases !== undefined && given !== undefined) {
    throw new ConfigError("scenarios: expected none beside BASES, got both");
  }
  if ((outProbe === undefined) !== (outEvaluation === undefined)) {
    throw new ConfigError("scenarios: expected both outProbe and outEvaluation, got one");
  }
  if (probeShare !== undefined && outProbe === undefined) {
    throw new ConfigError("probeShare: expected outProbe and outEvaluation with it, got neither");
  }
  if ((out ?? outProbe) !== undefined) {
    if (bases === undefined && given === undefined) {
      throw new ConfigError("scenarios: expected files of base prompts, got none");
    }
  } else if ((bases ?? given) !== undefined) {
    throw new ConfigError("scenarios: expected out, or outProbe and outEvaluation", {
      hint: "culprit scenarios --help shows examples.",
    });
  }
  if (given === undefined) return;
  const unused = Object.entries({ constraints, only, perBase, out }).find(
    ([, value]) => value !== undefined,
  );
  if (unused !== undefined) {
    throw new ConfigError(
      `${unused[0]}: expected composing with it, got a scenarios file to split`,
    );
  }
}

async function readExisting(path: string, warn: (line: string) => void): Promise<MadeScenarios> {
  const read = await readScenarios(path);
  for (const line of describeUnknownKeys(path, read.unknownKeys)) warn(line);
  return { scenarios: read.scenarios, composed: undefined, skipped: {} };
}

function compose(
  { prompts, skipped }: BasePrompts,
  pool: readonly Constraint[],
  { perBase = 1, seed: drawn }: ScenarioSettings,
): MadeScenarios {
  const composed = composeScenarios(prompts, pool, { perBase, seed: drawn });
  return { scenarios: composed.scenarios, composed: { ...composed, pool }, skipped };
}

async function writeHalves(
  all: MadeScenarios["scenarios"],
  { probeShare = 0.5, seed: drawn }: ScenarioSettings,
  { outProbe, outEvaluation }: Places,
): Promise<ScenarioSplit | undefined> {
  if (outProbe === undefined || outEvaluation === undefined) return undefined;
  const split = splitScenarios(all, { probeShare, seed: drawn });
  await writeScenarios(outProbe, split.probe.scenarios);
  await writeScenarios(outEvaluation, split.evaluation.scenarios);
  return split;
}
