import { basename, join } from "node:path";

import { readBehavior } from "../../behavior/behavior-file.ts";
import { readUsedLayer } from "../../behavior/used-layer.ts";
import { newGenerationCounter } from "../../engine/generation/generate-options.ts";
import { longestRollouts } from "../../rollouts/longest-rollouts.ts";
import { type ScenarioPrompt, scenarioPrompts } from "../../rollouts/scenarios.ts";
import { behaviorDirections } from "../../steering/behavior-directions.ts";
import { countShared, describeShared } from "../../steering/shared-scenarios.ts";
import { DEFAULT_HALVINGS } from "../../steering/steer-settings.ts";
import { steer } from "../../steering/steer.ts";
import type { SteeringMode } from "../../steering/steering-report.ts";
import { steersTogether, unnamedLayers } from "../../steering/steering-target.ts";
import { hashValue } from "../../util/hash.ts";
import { estimateByRubric, openJudge } from "../../verbs/judging/open-judge.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { LlmJudgeInput } from "../judge-input.ts";
import type { LocalModel } from "../models.ts";
import type { Experiment } from "../schema.ts";
import type { Stage, StageWork } from "../stage.ts";
import { BEHAVIOR_NAME } from "./behavior.ts";
import { ANSWERS_NAME, judgeInputs, judgingOf } from "./stage-judge.ts";

/**
 * Steers a checkpoint with the behaviour's direction and with random ones: `steering.json`. Responses and verdicts are in `arms/`, from
 * which a killed run goes on.
 */
export function steerStage(
  mode: SteeringMode,
  model: LocalModel,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage {
  const { steering, sampling, attribution, checkpoints, engine } = experiment;
  if (steering === undefined) throw new Error("internal: nothing says how to steer");
  const { modes: _modes, on: _on, projectOutAt, ...given } = steering;
  const { endpoints: _endpoints, ...sampled } = sampling;
  const prompts = promptsToSteer(experiment, inputs);
  const steered = { mode, prompts, experiment, inputs };
  return {
    kind: "steer",
    name: mode,
    version: 8,
    settings: {
      ...given,
      ...(mode === "add" ? {} : { projectOutAt }),
      mode,
      layer: attribution.layer,
      sampling: sampled,
      judge: judgingOf(inputs.judge!), // schema-contradictions.ts
      template: checkpoints.template,
      engine,
    },
    inputs: {
      behavior: { stage: "behavior" },
      model: model.input,
      prompts: { content: hashValue(prompts) },
      judge: { content: judgedBy(inputs) },
    },
    asides: ["arms"],
    canResume: true,
    ...(inputs.judge?.kind === "llm" && { estimate: estimateSteering(inputs.judge, steered) }),
    run: (work) => steerModel(model, work, steered),
  };
}

/** Rules and rubrics are read already. */
const NO_WORK = undefined as never; // unused

function judgedBy({ judge }: ExperimentInputs): string {
  const { rules, rubric } = judgeInputs(judge!); // schema-contradictions.ts
  return (rules ?? rubric)?.content ?? "none";
}

interface Steered {
  readonly mode: SteeringMode;
  readonly prompts: readonly ScenarioPrompt[];
  readonly experiment: Experiment;
  readonly inputs: ExperimentInputs;
}

async function steerModel(
  model: LocalModel,
  work: StageWork,
  { mode, prompts, experiment, inputs }: Steered,
): Promise<void> {
  const settings = experiment.steering!; // steerStage has seen it
  const { topK, endpoints: _, ...sampling } = experiment.sampling;
  const folder = work.input("behavior");
  const behavior = await readBehavior(join(folder, BEHAVIOR_NAME));
  const { strength, grid, projectOutAt, coherenceBound, randomDirections, rollouts } = settings;
  const layers = settings.layers ??
    unnamedLayers({ mode, projectOutAt }, behavior) ?? [
      (await readUsedLayer(join(folder, BEHAVIOR_NAME), experiment.attribution.layer)).layer,
    ];
  const madeFrom = madeFromSame(experiment, inputs, behavior.scenarioIds);
  const progress = work.progress("responses");
  const shared = countShared(prompts, madeFrom);
  if (shared > 0) progress.note(`warning: ${describeShared(shared)}`);
  const how = inputs.judge!; // schema-contradictions.ts
  const { rules, rubric } = judgeInputs(how);
  await using asked = await openJudge(
    { rules: await rules?.open(NO_WORK, NO_WORK), rubric: await rubric?.open(NO_WORK, NO_WORK) },
    judgingOf(how),
    {
      answers: join(work.cache, ANSWERS_NAME),
      setting: "judge.endpoint",
      isForced: work.isForced,
      owner: basename(work.directory),
      cost: work.cost,
    },
  );
  const { judge } = asked;
  await using opened = await model.open(work, "model");
  const counter = newGenerationCounter();
  work.cost.watchSampling(counter);
  await steer(
    opened,
    {
      mode,
      prompts,
      judge,
      madeFrom,
      directions: behaviorDirections(behavior, opened.identity, { mode, layers }),
      ...(mode === "add" ? { strength, grid } : { projectOutAt }),
      coherenceBound,
      randomDirections,
    },
    {
      ...sampling,
      topK,
      samples: rollouts,
      counter,
      out: work.directory,
      progress,
      signal: work.signal,
    },
  );
}

function steeredOn({
  steering,
  evaluation,
}: Pick<Experiment, "steering" | "evaluation">): "probe" | "evaluation" {
  return steering?.on ?? (evaluation === undefined ? "probe" : "evaluation");
}

/** Of the scenarios that the behaviour was made from those that are steered on: two files may give one id to different ones. */
function madeFromSame(
  experiment: Experiment,
  { probe, evaluation }: ExperimentInputs,
  scenarioIds: readonly string[],
): readonly string[] {
  if (steeredOn(experiment) === "probe" || probe === undefined) return scenarioIds;
  const hashes = (set: typeof probe | undefined): Map<string, string> =>
    new Map((set?.scenarios ?? []).map((each) => [each.id, hashValue(each)]));
  const [made, steered] = [hashes(probe), hashes(evaluation)];
  return scenarioIds.filter((id) => made.get(id) === steered.get(id));
}

/** The prompts of the scenarios that are steered on. */
function promptsToSteer(
  { steering, probe, evaluation }: Experiment,
  inputs: ExperimentInputs,
): readonly ScenarioPrompt[] {
  const on = steeredOn({ steering, evaluation });
  const set = inputs[on];
  if (set === undefined) throw new Error("internal: no scenarios to steer on");
  const own = on === "probe" ? probe && [probe.plain, probe.trigger] : evaluation?.variants;
  const scenarios = set.scenarios.slice(0, steering?.limit);
  return scenarioPrompts({ ...set, scenarios }, steering?.variants ?? own);
}

/** Judging of every arm that there may be. */
function estimateSteering(
  judge: LlmJudgeInput,
  { mode, prompts, experiment }: Steered,
): NonNullable<Stage["estimate"]> {
  const { grid, strength, randomDirections, layers, rollouts, projectOutAt } = experiment.steering!; // steerStage has seen it
  const directed = mode === "add" && strength === "auto" ? grid.length + DEFAULT_HALVINGS : 1;
  const targets = steersTogether({ mode, projectOutAt }) ? 1 : (layers?.length ?? 1);
  const arms = 1 + targets * (directed + randomDirections);
  const { maxTokens } = experiment.sampling;
  return async (at) => {
    const responses = longestRollouts(prompts, { samples: arms * rollouts, maxTokens });
    const { cost, ...estimated } = await estimateByRubric(
      responses,
      judge.rubric,
      judgingOf(judge),
      { answers: join(at.cache, ANSWERS_NAME), isForced: at.isForced },
    );
    return { ...estimated, money: cost, isSampled: false };
  };
}
