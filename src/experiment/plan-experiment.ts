/** @file Which stages an experiment has, and which reads which. */
import { ConfigError } from "../util/errors.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import { BASELINE, listArms, measuredName } from "./arms.ts";
import type { ExperimentInputs } from "./experiment-inputs.ts";
import { givenModel, type Model, sampledModel, trainedModel } from "./models.ts";
import type { Experiment } from "./schema.ts";
import { type Stage, STAGE_KINDS, stageId } from "./stage.ts";
import { agreementIds, agreementStage } from "./stages/agreement.ts";
import { auditStage } from "./stages/audit.ts";
import { behaviorStage, boundDrift, boundResponses } from "./stages/behavior.ts";
import { capabilitiesStage } from "./stages/capabilities.ts";
import { editStage } from "./stages/edit.ts";
import { embedStage } from "./stages/embed.ts";
import { evaluateStage } from "./stages/evaluate.ts";
import { filterStage } from "./stages/filter.ts";
import { judgeStage } from "./stages/judge.ts";
import type { EvaluatedArms } from "./stages/measured-arms.ts";
import { qualityStage } from "./stages/quality.ts";
import { nullBehavior, nullName, rankStage } from "./stages/rank.ts";
import { rolloutsStage } from "./stages/rollouts.ts";
import { steerStage } from "./stages/steer.ts";
import { trainStage } from "./stages/train.ts";

/** Without `evaluation`: the result ends with the ranking. */
const NOTHING_MEASURED: EvaluatedArms = { given: [], hasBaseline: false, arms: [], seeds: [] };

/** The stages of an experiment in the order in which they run, inputs before what reads them. */
export function planExperiment(experiment: Experiment, inputs: ExperimentInputs): readonly Stage[] {
  const planned = [
    auditStage(experiment, inputs),
    ...probeStages(experiment, inputs),
    ...nullStages(experiment, inputs),
    embedStage(experiment, inputs),
    ...experiment.attribution.methods.flatMap((method) => [
      rankStage(experiment, inputs, method),
      ...(inputs.planted === undefined
        ? []
        : [qualityStage(experiment, inputs.planted, methodLabel(method))]),
    ]),
    ...steeringStages(experiment, inputs),
    ...(experiment.evaluation === undefined
      ? [evaluateStage(experiment, inputs, NOTHING_MEASURED)]
      : evaluationStages(experiment, inputs)),
  ];
  planned.push(...agreementStages(planned, inputs));
  // The baseline's first seed may be there twice: it is the checkpoint after too.
  const stages = [...new Map(planned.map((stage) => [stageId(stage), stage])).values()];
  // By kind, each kind in the order made: kinds stand in an order in which inputs come first.
  return STAGE_KINDS.flatMap((kind) => stages.filter((stage) => stage.kind === kind));
}

/** Where people labelled rollouts of a stage. Throws ConfigError for labels of a stage that is not there. */
function agreementStages(planned: readonly Stage[], inputs: ExperimentInputs): Stage[] {
  const judged = new Map(
    planned
      .filter(({ kind }) => kind === "judge" || kind === "evaluation-judge")
      .map((stage) => [stageId(stage), stage]),
  );
  const unknown = Object.keys(inputs.labels).find((id) => !judged.has(id));
  if (unknown !== undefined) {
    throw new ConfigError(
      `judge.labels: expected stages that judge, got ${JSON.stringify(unknown.slice(0, 60))}`,
      { hint: `They are ${[...judged.keys()].join(", ")}.` },
    );
  }
  return Object.keys(agreementIds(inputs)).map((id) =>
    agreementStage(judged.get(id)!, inputs.labels[id]!),
  );
}

/** From the two checkpoints to the behaviour. */
function probeStages(experiment: Experiment, inputs: ExperimentInputs): Stage[] {
  const { responses } = inputs;
  if (responses !== undefined) {
    return [behaviorStage(experiment, inputs, boundResponses(responses))];
  }
  const before = sampledModel(experiment, inputs, "before")!; // never absent
  const { after, stages } = checkpointAfter(experiment, inputs);
  return [
    ...stages,
    ...[before, after].flatMap((model) => [
      rolloutsStage("rollouts", model, experiment, inputs),
      judgeStage("judge", model.name, experiment, inputs),
    ]),
    filterStage(experiment),
    behaviorStage(experiment, inputs, { stage: "filter" }),
  ];
}

/** The unrelated behaviours that the ranking is held to. */
function nullStages(experiment: Experiment, inputs: ExperimentInputs): Stage[] {
  return experiment.attribution.nulls.map((name, i) => {
    const file = inputs.nulls[i];
    const unrelated = {
      stage: nullName(i),
      behavior: nullBehavior(name),
      isOptional: file === undefined,
    };
    const responses = file === undefined ? boundDrift : boundResponses(file);
    return behaviorStage(experiment, inputs, responses, unrelated);
  });
}

/** M1: the one given, or the one trained on all pairs with the first seed. */
function checkpointAfter(
  experiment: Experiment,
  inputs: ExperimentInputs,
): { readonly after: Model; readonly stages: Stage[] } {
  const given = sampledModel(experiment, inputs, "after");
  if (given !== undefined) return { after: given, stages: [] };
  const seed = experiment.training?.seeds[0] ?? 0;
  const stage = trainStage(experiment, inputs, { seed });
  return { after: trainedModel(experiment, inputs, "after", stageId(stage)), stages: [stage] };
}

/** Adding to the checkpoint before, projecting out of the one after; both on this machine. */
function steeringStages(experiment: Experiment, inputs: ExperimentInputs): Stage[] {
  return (experiment.steering?.modes ?? []).flatMap((mode) => {
    if (mode === "add") {
      const before = givenModel(experiment, "before", inputs.before);
      return [steerStage(mode, before, experiment, inputs)];
    }
    const { after, stages } =
      inputs.after === undefined
        ? checkpointAfter(experiment, inputs)
        : { after: givenModel(experiment, "after", inputs.after), stages: [] };
    if (after.kind !== "local") throw new Error("internal: nothing to project out of");
    return [...stages, steerStage(mode, after, experiment, inputs)];
  });
}

/** Every arm trained with every seed, and all of them measured. */
function evaluationStages(experiment: Experiment, inputs: ExperimentInputs): Stage[] {
  const arms = listArms(experiment, inputs.planted?.length ?? 0);
  const seeds = experiment.training?.seeds ?? [];
  const stages: Stage[] = [];
  const given = (["before", "after"] as const).filter(
    (name) => sampledModel(experiment, inputs, name) !== undefined,
  );
  const measured: Model[] = given.map((name) => sampledModel(experiment, inputs, name)!); // just checked
  for (const seed of seeds) {
    for (const arm of [undefined, ...arms]) {
      const edit = arm && editStage(experiment, arm, seed, inputs);
      const stage = trainStage(experiment, inputs, {
        seed,
        ...(edit && { edited: { arm: arm.id, stage: stageId(edit) } }),
      });
      stages.push(...(edit === undefined ? [] : [edit]), stage);
      measured.push(
        trainedModel(experiment, inputs, measuredName(arm?.id ?? BASELINE, seed), stageId(stage)),
      );
    }
  }
  stages.push(
    ...measured.flatMap((model) => [
      rolloutsStage("evaluation-rollouts", model, experiment, inputs),
      judgeStage("evaluation-judge", model.name, experiment, inputs),
      ...capabilitiesStages(model, experiment, inputs),
    ]),
  );
  const evaluated = { given, hasBaseline: seeds.length > 0, arms, seeds };
  return [...stages, evaluateStage(experiment, inputs, evaluated)];
}

/** Of a checkpoint that is sampled at an endpoint they are measured here all the same. */
function capabilitiesStages(
  model: Model,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage[] {
  const isMeasured = Object.values(inputs.capabilities).some((each) => each !== undefined);
  if (!isMeasured) return [];
  if (model.kind === "local") return [capabilitiesStage(model, experiment, inputs)];
  const checkpoint = model.name === "before" ? inputs.before : inputs.after;
  if (checkpoint === undefined) throw new Error("internal: nothing to measure capabilities of");
  return [capabilitiesStage(givenModel(experiment, model.name, checkpoint), experiment, inputs)];
}
