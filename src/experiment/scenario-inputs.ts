/** @file The scenarios of an experiment: from files, or composed here and split into halves that share no request. */
import { requestKey } from "../rollouts/base-key.ts";
import { readBasePrompts } from "../rollouts/base-prompts.ts";
import { composeScenarios } from "../rollouts/compose-scenarios.ts";
import { BUILT_IN_POOL } from "../rollouts/constraints.ts";
import {
  BUILT_IN_VARIANTS,
  readScenarios,
  scenarioPrompts,
  type Scenario,
  type ScenarioSet,
} from "../rollouts/scenarios.ts";
import { splitScenarios } from "../rollouts/split-scenarios.ts";
import { ConfigError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { inSetting } from "../util/in-setting.ts";
import { openingOptions } from "../verbs/inputs/files.ts";
import { readPool } from "../verbs/scenarios.ts";
import type { ExperimentInputs, OpenInputsOptions } from "./open-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";

type ScenarioInputs = Pick<ExperimentInputs, "probe" | "evaluate">;

/** Throws ConfigError naming the setting whose file is missing or has a scenario without a variant to sample, or where a request to evaluate with is one that the probe was made from. */
export async function openScenarios(
  file: ExperimentFile,
  options: OpenInputsOptions,
): Promise<ScenarioInputs> {
  const { scenarios, probe, conditions, evaluate } = file.experiment;
  const composed =
    scenarios && (await inSetting("scenarios", () => compose(scenarios, file, options)));
  const open = async (setting: "probe" | "evaluate"): Promise<ScenarioSet | undefined> => {
    if (file.experiment[setting] === undefined) return undefined;
    const path = (setting === "probe" ? probe : evaluate)?.scenarios;
    if (path === undefined) return composed?.[setting];
    return inSetting(`${setting}.scenarios`, () => readScenarios(file.at(path)));
  };
  const sampled = {
    probe: [conditions.plain, conditions.trigger],
    evaluate: evaluate?.variants,
  };
  const opened = { probe: await open("probe"), evaluate: await open("evaluate") };
  for (const setting of ["probe", "evaluate"] as const) {
    const set = opened[setting];
    // A scenario without one of them would be found when it is sampled, which may be hours from here.
    await inSetting(
      `${setting}.scenarios`,
      async () => set && scenarioPrompts(set, sampled[setting]),
    );
  }
  requireDisjoint(opened);
  return opened;
}

async function compose(
  settings: NonNullable<ExperimentFile["experiment"]["scenarios"]>,
  file: ExperimentFile,
  options: OpenInputsOptions,
): Promise<Readonly<Record<"probe" | "evaluate", ScenarioSet>>> {
  const { bases, limit, constraints, perBase = 1, probeShare = 0.5, seed } = settings;
  const { prompts } = await readBasePrompts(bases.map(file.at), {
    limit,
    ...openingOptions(options),
  });
  const pool = await readPool(
    constraints?.map((name) => (name === BUILT_IN_POOL ? name : file.at(name))),
    settings,
  );
  const { scenarios } = composeScenarios(prompts, pool, { perBase, seed });
  const { probe, evaluation } = splitScenarios(scenarios, { probeShare, seed });
  return {
    probe: toSet("probe", probe.scenarios),
    evaluate: toSet("evaluate", evaluation.scenarios),
  };
}

function toSet(half: string, scenarios: readonly Scenario[]): ScenarioSet {
  const path = `scenarios (${half})`;
  return {
    path,
    sha256: hashValue(scenarios),
    scenarios,
    variants: BUILT_IN_VARIANTS,
    omitted: [],
    unknownKeys: [],
  };
}

/** Scenarios that the probe was chosen by would flatter it in the evaluation; nor does another case or punctuation make them others. */
function requireDisjoint({ probe, evaluate }: ScenarioInputs): void {
  const requests = new Set(probe?.scenarios.map(({ base }) => requestKey(base)));
  const shared = evaluate?.scenarios.filter(({ base }) => requests.has(requestKey(base))) ?? [];
  if (shared.length === 0) return;
  throw new ConfigError(
    `evaluate.scenarios: expected other requests than those of probe.scenarios, got ${shared.length} of the same, the first in scenario "${shared[0]!.id}"`,
    {
      hint: "Split the scenarios so that no request is in both files: culprit scenarios --scenarios FILE.",
    },
  );
}
