/** @file The scenarios of an experiment: from files, or composed here and split into halves that share no request. */
import { requestKey } from "../rollouts/base-key.ts";
import { readBasePrompts } from "../rollouts/base-prompts.ts";
import { composeScenarios } from "../rollouts/compose-scenarios.ts";
import { BUILT_IN_POOL, readConstraints, selectConstraints } from "../rollouts/constraints.ts";
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
import type { ExperimentInputs, OpenInputsOptions } from "./experiment-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";

type ScenarioInputs = Pick<ExperimentInputs, "probe" | "evaluation">;

/** Throws ConfigError naming the setting whose file is missing or has a scenario without a variant to sample, or where a request to evaluate with is one that the probe was made from. */
export async function openScenarios(
  file: ExperimentFile,
  options: OpenInputsOptions,
): Promise<ScenarioInputs> {
  const { scenarios, probe, evaluation } = file.experiment;
  const composed =
    scenarios && (await inSetting("scenarios", () => compose(scenarios, file, options)));
  const open = async (setting: "probe" | "evaluation"): Promise<ScenarioSet | undefined> => {
    if (file.experiment[setting] === undefined) return undefined;
    const path = (setting === "probe" ? probe : evaluation)?.scenarios;
    if (path === undefined) return composed?.[setting];
    return inSetting(`${setting}.scenarios`, () => readScenarios(file.at(path)));
  };
  const sampled = {
    probe: probe && [probe.plain, probe.trigger],
    evaluation: evaluation?.variants,
  };
  const opened = { probe: await open("probe"), evaluation: await open("evaluation") };
  for (const setting of ["probe", "evaluation"] as const) {
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
  { resolveRemote, signal }: OpenInputsOptions,
): Promise<Readonly<Record<"probe" | "evaluation", ScenarioSet>>> {
  const { bases, limit, constraints, only, perBase, probeShare, seed } = settings;
  const { prompts } = await readBasePrompts(bases.map(file.at), { limit, resolveRemote, signal });
  const pool = await readConstraints(
    constraints.map((name) => (name === BUILT_IN_POOL ? name : file.at(name))),
  );
  const drawn = only === undefined ? pool : selectConstraints(pool, only);
  const { scenarios } = composeScenarios(prompts, drawn, { perBase, seed });
  const { probe, evaluation } = splitScenarios(scenarios, { probeShare, seed });
  return {
    probe: toSet("probe", probe.scenarios),
    evaluation: toSet("evaluation", evaluation.scenarios),
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
function requireDisjoint({ probe, evaluation }: ScenarioInputs): void {
  const requests = new Set(probe?.scenarios.map(({ base }) => requestKey(base)));
  const shared = evaluation?.scenarios.filter(({ base }) => requests.has(requestKey(base))) ?? [];
  if (shared.length === 0) return;
  throw new ConfigError(
    `evaluation.scenarios: expected other requests than those of probe.scenarios, got ${shared.length} of the same, the first in scenario "${shared[0]!.id}"`,
    {
      hint: "Split the scenarios so that no request is in both files: culprit scenarios --scenarios FILE.",
    },
  );
}
