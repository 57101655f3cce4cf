import { findMethod } from "../attribution/methods/index.ts";
/** @file Which stages an experiment has, and which reads which. */
import { ALONG_RUN, type FeatureKind } from "../engine/features.ts";
import type { ResponsePairs } from "../pairs/response-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import { VERBS } from "../verbs/index.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import type { MethodChoice } from "../verbs/settings/methods.ts";
import type { Input, OpenWork, Verb } from "../verbs/verb.ts";
import { BASELINE, listArms, measuredName } from "./arms.ts";
import { capabilityFiles } from "./contradictions.ts";
import { evaluateStage } from "./evaluate-stage.ts";
import { rankId } from "./method-stages.ts";
import type { ExperimentInputs } from "./open-inputs.ts";
import {
  boundDrift,
  boundPairs,
  boundResponses,
  givenCheckpoint,
  nullBehavior,
  nullName,
  type Planned,
  trainedCheckpoint,
} from "./plan-inputs.ts";
import {
  agreementStage,
  auditStage,
  behaviorStage,
  capabilitiesStage,
  conditionsStage,
  discoverStage,
  editStage,
  embedStage,
  firstEmbedStage,
  generateStage,
  judgeStage,
  membershipStage,
  qualityStage,
  rankStage,
  refineStage,
  type Sampled,
  steerStage,
  trainStage,
  warmupStage,
} from "./plan-stages.ts";
import { furtherVerbs, type FurtherVerb, settingsOf } from "./schema.ts";
import { askedFeatures, featuresOfMethods } from "./section-settings.ts";
import type { Experiment } from "./sections.ts";
import { type Stage, STAGE_KINDS, stageId } from "./stage.ts";
import { type Bound, verbStage } from "./verb-stage.ts";

/** The stages of an experiment in the order in which they run, inputs before what reads them. */
export function planExperiment(
  experiment: Experiment,
  inputs: ExperimentInputs,
  verbs: readonly Verb[] = VERBS,
): readonly Stage[] {
  const planned = { experiment, inputs };
  const stages = [
    auditStage(planned),
    ...(featuresOfMethods(experiment).some((each) => ALONG_RUN.has(each))
      ? [warmupStage(planned)]
      : []),
    ...membershipStages(planned),
    ...probeStages(planned),
    ...nullStages(planned),
    ...featuresOfMethods(experiment).flatMap((features) => embedStages(planned, features)),
    ...experiment.rank.methods.flatMap((method) => [
      ...rankStages(planned, method),
      ...(inputs.planted === undefined ? [] : [qualityStage(planned, inputs.planted, method)]),
    ]),
    ...(experiment.discover === undefined ? [] : [discoverStage(planned)]),
    ...steeringStages(planned),
    ...(experiment.evaluate === undefined ? [] : evaluationStages(planned)),
  ];
  stages.push(...agreementStages(planned, stages));
  stages.push(...furtherVerbs(experiment, verbs).map((each) => furtherStage(planned, each)));
  return inOrder(stages);
}

/** The vectors of all pairs, in one pass or in two. */
function embedStages(planned: Planned, features: FeatureKind): readonly Stage[] {
  return planned.experiment.refine === undefined || features !== "states"
    ? [embedStage(planned, features)]
    : [firstEmbedStage(planned), refineStage(planned)];
}

/** Whether the checkpoint after was trained on the pairs, behind the training where that is done here. */
function membershipStages(planned: Planned): readonly Stage[] {
  if (planned.experiment.membership === undefined) return [];
  const { after, stages } = checkpointAfter(planned);
  return [...stages, membershipStage(planned, after.checkpoint!)]; // contradictions.ts
}

/** The ranking by a method, behind the training that it compares with. */
function rankStages(planned: Planned, method: MethodChoice): readonly Stage[] {
  if (!findMethod(method.name).needs.includes("trained")) return [rankStage(planned, method)];
  const { after, stages } = checkpointAfter(planned);
  return [...stages, rankStage(planned, method, after.checkpoint)];
}

/** By kind, each kind in the order made: kinds stand in an order in which inputs come first, those of further verbs after the rankings. */
function inOrder(planned: readonly Stage[]): readonly Stage[] {
  // The baseline's first seed may be there twice: it is the checkpoint after too.
  const stages = [...new Map(planned.map((stage) => [stageId(stage), stage])).values()];
  const known: readonly string[] = STAGE_KINDS;
  const further = stages.flatMap(({ kind }) => (known.includes(kind) ? [] : [kind]));
  const order = [
    ...new Set(known.flatMap((kind) => (kind === "steer" ? [...further, kind] : [kind]))),
  ];
  return order.flatMap((kind) => stages.filter((stage) => stage.kind === kind));
}

/** Where people labelled rollouts of a stage, and a judge did too. Throws ConfigError for labels of a stage that is not there. */
function agreementStages(planned: Planned, stages: readonly Stage[]): Stage[] {
  const { judge } = planned.experiment;
  const { labels } = planned.inputs;
  const judged = new Map(
    stages
      .filter(({ kind }) => kind === "judge" || kind === "evaluation-judge")
      .map((stage) => [stageId(stage), stage]),
  );
  const unknown = Object.keys(labels).find((id) => !judged.has(id));
  if (unknown !== undefined) {
    throw new ConfigError(
      `judge.labels: expected stages that judge, got ${JSON.stringify(unknown.slice(0, 60))}`,
      { hint: `They are ${[...judged.keys()].join(", ")}.` },
    );
  }
  if (judge?.meaning !== undefined) return [];
  return Object.entries(labels).map(([id, file]) => agreementStage(planned, judged.get(id)!, file));
}

/** From the two checkpoints to the behaviour. */
function probeStages(planned: Planned): Stage[] {
  const { responses } = planned.inputs;
  const behaviors = (from: Bound<ResponsePairs>): Stage[] =>
    behaviorFeatures(planned).map((features) => behaviorStage(planned, from, { features }));
  if (responses !== undefined) return behaviors(boundResponses(responses));
  const { after, stages } = checkpointAfter(planned);
  return [
    ...stages,
    ...[givenSampled(planned, "before")!, after].flatMap((sampled) => [
      generateStage(planned, "probe", sampled),
      judgeStage(planned, "probe", sampled.name),
    ]),
    conditionsStage(planned),
    ...behaviors({ stage: "conditions" }),
  ];
}

/** The unrelated behaviours that the ranking is held to. */
function nullStages(planned: Planned): Stage[] {
  return planned.experiment.rank.nulls.flatMap((name, i) => {
    const file = planned.inputs.nulls[i];
    const unrelated = {
      stage: nullName(i),
      behavior: nullBehavior(name),
      isOptional: file === undefined,
    };
    const responses = file === undefined ? boundDrift : boundResponses(file);
    return askedFeatures(planned.experiment).map((features) =>
      behaviorStage(planned, responses, { features, unrelated }),
    );
  });
}

/** Those of the methods, and states, which the result describes and steering takes. */
function behaviorFeatures({ experiment }: Planned): readonly FeatureKind[] {
  return [...new Set<FeatureKind>(["states", ...askedFeatures(experiment)])];
}

/** A checkpoint from outside, with its endpoint where it is sampled there; undefined where there is neither. */
function givenSampled(
  { experiment, inputs }: Planned,
  name: "before" | "after",
): Sampled | undefined {
  const endpoint = experiment.generate.endpoints?.[name];
  const given = inputs[name];
  if (endpoint === undefined && given === undefined) return undefined;
  return { name, endpoint, checkpoint: given && givenCheckpoint(experiment, name, given) };
}

/** M1: the one given, or the one trained on all pairs with the first seed. */
function checkpointAfter(planned: Planned): {
  readonly after: Sampled;
  readonly stages: readonly Stage[];
} {
  const given = givenSampled(planned, "after");
  if (given !== undefined) return { after: given, stages: [] };
  const stage = trainStage(planned, planned.experiment.train!.seeds[0]!); // contradictions.ts
  const checkpoint = trainedCheckpoint(planned, "after", stageId(stage));
  return { after: { name: "after", checkpoint, endpoint: undefined }, stages: [stage] };
}

/** Adding to the checkpoint before, projecting out of the one after; both on this machine. */
function steeringStages(planned: Planned): Stage[] {
  const { experiment, inputs } = planned;
  return (experiment.steer?.modes ?? []).flatMap((mode) => {
    if (mode === "add") {
      return [steerStage(planned, mode, givenCheckpoint(experiment, "before", inputs.before))];
    }
    const { after, stages } = checkpointAfter(planned);
    return [...stages, steerStage(planned, mode, after.checkpoint!)]; // contradictions.ts
  });
}

/** Every arm trained with every seed, and all of them measured. */
function evaluationStages(planned: Planned): Stage[] {
  const { experiment, inputs } = planned;
  const arms = listArms(experiment, inputs.planted?.length ?? 0);
  const seeds = experiment.train?.seeds ?? [];
  const given = (["before", "after"] as const).flatMap((name) => givenSampled(planned, name) ?? []);
  const stages: Stage[] = [];
  const trained: Sampled[] = [];
  for (const seed of seeds) {
    for (const arm of [undefined, ...arms]) {
      const edit = arm && editStage(planned, arm, seed);
      const edited = arm && edit && { arm: arm.id, stage: stageId(edit) };
      const stage = trainStage(planned, seed, edited);
      stages.push(...(edit === undefined ? [] : [edit]), stage);
      const name = measuredName(arm?.id ?? BASELINE, seed);
      const checkpoint = trainedCheckpoint(planned, name, stageId(stage));
      trained.push({ name, checkpoint, endpoint: undefined });
    }
  }
  const isMeasured = capabilityFiles(experiment).length > 0;
  const measured = [...given, ...trained].flatMap((sampled) => [
    generateStage(planned, "evaluate", sampled),
    judgeStage(planned, "evaluate", sampled.name),
    // Of a checkpoint that is sampled at an endpoint they are measured here all the same.
    ...(isMeasured ? [capabilitiesStage(planned, sampled.name, sampled.checkpoint!)] : []), // contradictions.ts
  ]);
  const evaluated = { given: given.map(({ name }) => name), arms, seeds };
  return [...stages, ...measured, evaluateStage(planned, evaluated, { isMeasured })];
}

/** A verb that the stages know nothing special of, done once with what the experiment has. */
function furtherStage(planned: Planned, { verb, section }: FurtherVerb): Stage {
  return verbStage(verb, {
    settings: settingsOf({ verb, section }),
    inputs: Object.fromEntries(
      Object.entries(verb.inputs).flatMap(([name, input]) => {
        const bound = boundByKind(planned, input, `${verb.name}.${name}`);
        return bound === undefined ? [] : [[name, bound] as const];
      }),
    ),
    outputs: Object.keys(verb.outputs),
  });
}

/** What an input of this kind is in an experiment; a file where no stage makes it. */
function boundByKind(planned: Planned, input: Input, setting: string): Bound<unknown> | undefined {
  const { experiment, inputs } = planned;
  const stages: Readonly<Record<string, string>> = {
    store: stageId(embedStage(planned, featuresOfMethods(experiment)[0]!)), // one at least
    behavior: "behavior",
    ranking: rankId(experiment, methodLabel(experiment.rank.methods[0]!)), // one at least
  };
  if (input.kind === "pairs") return boundPairs(inputs.pairs);
  if (input.kind === "checkpoint") return givenCheckpoint(experiment, "before", inputs.before);
  const stage = stages[input.kind];
  if (stage !== undefined) return { stage };
  const file = inputs.further[setting];
  return (
    file && {
      content: file.sha256,
      setting,
      open: (work: OpenWork) => input.open([file.path], input.settings?.parse({}) ?? {}, work),
    }
  );
}
