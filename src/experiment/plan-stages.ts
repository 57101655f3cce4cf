/** @file Each kind of stage that an experiment has: a verb, what it reads, and its settings. */
import { join } from "node:path";

import { findMethod } from "../attribution/methods/index.ts";
import { isRandomPick } from "../edit/edit.ts";
import { ALONG_RUN, type FeatureKind, ONE_VECTOR } from "../engine/features.ts";
import type { Precision } from "../engine/precision.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import {
  NoUsablePairError,
  readResponsePairs,
  type ResponsePairs,
} from "../pairs/response-pairs.ts";
import { longestRollouts } from "../rollouts/estimate-rollouts.ts";
import { type Rollout, readRollouts, ROLLOUTS } from "../rollouts/rollouts.ts";
import { scenarioPrompts, type ScenarioSet } from "../rollouts/scenarios.ts";
import type { SteeringMode } from "../steering/steering-report.ts";
import type { KeptStates } from "../training/kept-states.ts";
import { ConfigError } from "../util/errors.ts";
import { inSetting } from "../util/in-setting.ts";
import { estimateSampling } from "../verbs/generate/sample-there.ts";
import { verbs } from "../verbs/index.ts";
import type { Checkpoint } from "../verbs/inputs/checkpoint.ts";
import { estimateByRubric } from "../verbs/judging/open-judge.ts";
import { openCandidates } from "../verbs/rank.ts";
import { estimateRanking } from "../verbs/ranking/estimate.ts";
import type { EndpointSettings } from "../verbs/settings/endpoint.ts";
import { settingsOfFeatures } from "../verbs/settings/features.ts";
import {
  type MethodChoice,
  methodLabel,
  ownSettings,
  verbChoice,
} from "../verbs/settings/methods.ts";
import { samplingSettings } from "../verbs/settings/sampling.ts";
import { longestSteered } from "../verbs/steer.ts";
import type { TrainingData } from "../verbs/train.ts";
import type { OpenWork } from "../verbs/verb.ts";
import { type Arm, BASELINE, drawSeed } from "./arms.ts";
import { methodName, rankId } from "./method-stages.ts";
import type { FileInput } from "./open-inputs.ts";
import { layersOf } from "./open-inputs.ts";
import {
  boundBehaviorToSteer,
  boundDecisions,
  boundFile,
  boundNulls,
  boundOwnAnswers,
  boundPairs,
  boundPrompts,
  boundResponses,
  boundValue,
  givenCheckpoint,
  heldCheckpoint,
  type Planned,
  promptsToSteer,
} from "./plan-inputs.ts";
import {
  featuresOfMethods,
  judgingOf,
  samplingOf,
  steerSettings,
  warmupSettings,
} from "./section-settings.ts";
import { DRIFT } from "./sections.ts";
import { type AskingEstimate, type EstimatePlace, type Stage, stageId } from "./stage.ts";
import { type Bound, verbStage } from "./verb-stage.ts";

/** What is sampled and measured: a checkpoint on this machine, or one that somebody else serves. */
export interface Sampled {
  /** What it is called in results: before, after, or the arm. */
  readonly name: string;
  readonly checkpoint: Bound<Checkpoint> | undefined;
  readonly endpoint: EndpointSettings | undefined;
}

/** For the probe, or to measure. */
export type Purpose = "probe" | "evaluate";

const prefix = { probe: "", evaluate: "evaluation-" } as const;

/** What is in the pairs, before any compute, and the list of unusable rows. */
export function auditStage({ experiment, inputs }: Planned): Stage {
  return verbStage(verbs.audit, {
    settings: experiment.audit,
    inputs: { pairs: boundPairs(inputs.pairs) },
    outputs: ["unusable"],
  });
}

/** Whether the checkpoint after was trained on the pairs, beside those that it cannot have seen. */
export function membershipStage({ experiment, inputs }: Planned, after: Bound<Checkpoint>): Stage {
  const { heldOut: _, ...settings } = experiment.membership!; // who plans it has the section
  return verbStage(verbs.audit, {
    kind: "membership",
    settings: { ...settings, maxTokens: undefined },
    inputs: {
      pairs: boundPairs(inputs.pairs),
      before: givenCheckpoint(experiment, "before", inputs.before),
      after,
      heldOut: inputs.heldOut && {
        content: inputs.heldOut.contentHash,
        setting: "membership.heldOut",
        open: () => inputs.heldOut!, // or it would not be bound
      },
    },
    outputs: ["measured"],
  });
}

/** The pairs as data to train on. */
const boundTrainingData = (pairs: PairSet): Bound<TrainingData> => ({
  content: pairs.contentHash,
  setting: "pairs.files",
  open: () => ({
    pairs: () => Promise.resolve(pairs),
    examples: () => Promise.resolve(pairs),
  }),
});

/** Trains the checkpoint before on all pairs (`train`) or on what the edit of a stage leaves of them (`retrain`). */
export function trainStage(
  { experiment, inputs }: Planned,
  seed: number,
  edited?: { readonly arm: string; readonly stage: string },
): Stage {
  const { seeds: _, ...settings } = experiment.train!; // contradictions.ts
  const { pairs, before } = inputs;
  return verbStage(verbs.train, {
    kind: edited === undefined ? "train" : "retrain",
    name: `${edited?.arm ?? BASELINE}-seed${seed}`,
    settings: { ...settings, seed, keepStates: false },
    inputs: {
      data: boundTrainingData(pairs),
      checkpoint: givenCheckpoint(experiment, "before", before),
      edit: edited && { stage: edited.stage },
    },
  });
}

/** The training run that features are along, on a sample of the pairs. */
export function warmupStage({ experiment, inputs }: Planned): Stage {
  const { pairs, before } = inputs;
  return verbStage(verbs.train, {
    kind: WARMUP,
    settings: warmupSettings(experiment),
    inputs: {
      data: boundTrainingData(pairs),
      checkpoint: givenCheckpoint(experiment, "before", before),
    },
  });
}

const WARMUP = "warmup";

/** The run for features that are along one. */
const boundWarmup = (features: FeatureKind): Bound<KeptStates> | undefined =>
  ALONG_RUN.has(features) ? { stage: WARMUP } : undefined;

interface Sampling {
  readonly scenarios: ScenarioSet;
  readonly variants: readonly string[];
  readonly rollouts: number;
}

function samplingFor({ experiment, inputs }: Planned, purpose: Purpose): Sampling {
  const { conditions: filter, evaluate } = experiment;
  const variants = purpose === "probe" ? [filter.plain, filter.trigger] : evaluate!.variants;
  const { rollouts = experiment.generate.rollouts } = experiment[purpose]!; // it has scenarios
  return { scenarios: inputs[purpose]!, variants, rollouts };
}

/** Responses to every scenario in every variant. */
export function generateStage(planned: Planned, purpose: Purpose, sampled: Sampled): Stage {
  const { experiment, inputs } = planned;
  const { name, checkpoint, endpoint } = sampled;
  const { scenarios, variants, rollouts } = samplingFor(planned, purpose);
  // Model-diff amplification is of the checkpoint after, and of the probe's rollouts: to find, not to measure.
  const amplify = purpose === "probe" && name === "after" ? experiment.probe?.amplify : undefined;
  const { batch, ...sampling } = samplingOf(experiment.generate);
  // An endpoint makes its own batches; topK and stop, of which it knows nothing, are refused beside it.
  const ofEngine =
    endpoint === undefined ? { batch } : samplingSettings.pick({ batch: true }).parse({});
  const settings = { ...sampling, ...ofEngine, rollouts, amplify, endpoint };
  const stage = verbStage(verbs.generate, {
    kind: `${prefix[purpose]}generate`,
    name,
    settings,
    inputs: {
      prompts: boundPrompts(scenarios, variants),
      checkpoint: endpoint === undefined ? checkpoint : undefined,
      amplifyBefore:
        amplify === undefined ? undefined : givenCheckpoint(experiment, "before", inputs.before),
    },
    outputs: endpoint === undefined ? [] : ["absent"],
    estimate:
      endpoint &&
      (async ({ cache, isForced }): Promise<AskingEstimate> => {
        const answers = join(cache, verbs.generate.outputs.answers.artifact.name);
        const prompts = scenarioPrompts(scenarios, variants);
        return asking(true, await estimateSampling(prompts, settings, { answers, isForced }));
      }),
  });
  if (endpoint === undefined) {
    const prompts = () =>
      scenarioPrompts(scenarios, variants).flatMap(({ prompt }) =>
        Array.from({ length: rollouts }, () => prompt),
      );
    return { ...stage, responses: prompts };
  }
  const setting = `generate.endpoints.${name}`;
  return { ...stage, run: (work) => inSetting(setting, () => stage.run(work)) };
}

/** One verdict for each rollout of another stage; what cannot be judged is missing with its cause. */
export function judgeStage(planned: Planned, purpose: Purpose, name: string): Stage {
  const { experiment, inputs } = planned;
  const how = experiment.judge!; // contradictions.ts
  const id = `${prefix[purpose]}judge-${name}`;
  const { meaning, thinking } = how;
  return verbStage(verbs.judge, {
    kind: `${prefix[purpose]}judge`,
    name,
    settings: { ...judgingOf(how), meaning, thinking },
    inputs: {
      rollouts: { stage: `${prefix[purpose]}generate-${name}` },
      ...boundJudge(planned),
      labels: meaning === undefined ? undefined : boundLabels(id, meaning, inputs.labels[id]),
    },
    estimate: estimateJudging(planned, purpose),
  });
}

/** What judges new responses. */
function boundJudge({ inputs: { rules, rubric } }: Planned) {
  return {
    rules: rules && boundValue(rules, "judge.rules"),
    rubric: rubric && boundValue(rubric, "judge.rubric"),
  };
}

function boundLabels(stage: string, meaning: string, labels: FileInput | undefined): Bound<string> {
  const setting = `judge.labels.${stage}`;
  if (labels !== undefined) return boundFile(labels, setting);
  return {
    content: "none",
    setting,
    open: (_work: OpenWork, folder: (input: string) => string) => {
      throw new ConfigError(`judge.labels: expected a file of labels for ${stage}, got none`, {
        hint: `culprit review ${join(folder("rollouts"), ROLLOUTS.name)} --meaning ${JSON.stringify(meaning)} --sample 100000 --out ${stage}.jsonl writes them; then judge.labels: { ${stage}: ${stage}.jsonl }.`,
      });
    },
  };
}

function estimateJudging(planned: Planned, purpose: Purpose): Stage["estimate"] {
  const { rubric } = planned.inputs;
  if (rubric === undefined) return undefined;
  return (place) => {
    const folder = place.input("rollouts");
    const rollouts =
      folder === undefined
        ? longestSampled(planned, purpose)
        : readRollouts(join(folder, ROLLOUTS.name));
    return estimateAsking(planned, rollouts, place, folder !== undefined);
  };
}

/** The rollouts that a stage will sample, each with a response of the greatest length. */
function longestSampled(planned: Planned, purpose: Purpose): Generator<Omit<Rollout, "finish">> {
  const { scenarios, variants, rollouts } = samplingFor(planned, purpose);
  const { maxTokens } = planned.experiment.generate;
  return longestRollouts(scenarioPrompts(scenarios, variants), { samples: rollouts, maxTokens });
}

async function estimateAsking(
  { experiment, inputs }: Planned,
  rollouts: Parameters<typeof estimateByRubric>[0],
  { cache, isForced }: EstimatePlace,
  isSampled: boolean,
): Promise<AskingEstimate> {
  const rubric = inputs.rubric!; // who estimates has one
  const how = judgingOf(experiment.judge!); // and a section
  const answers = join(cache, verbs.judge.outputs.answers.artifact.name);
  return asking(isSampled, await estimateByRubric(rollouts, rubric, how, { answers, isForced }));
}

const asking = (
  isSampled: boolean,
  {
    requests,
    promptTokens,
    completionTokens,
    cost,
  }: Omit<AskingEstimate, "money" | "isSampled"> & { readonly cost: number | undefined },
): AskingEstimate => ({ requests, promptTokens, completionTokens, money: cost, isSampled });

/** The kind or id of the stage that holds a judge's verdicts to people's, by that of the stage that judged. */
export const agreementOf = (judged: string): string => judged.replace("judge", "agreement");

/** The judge's verdicts of another stage beside what people said of some of the rollouts. */
export function agreementStage({ experiment }: Planned, judged: Stage, labels: FileInput): Stage {
  const id = stageId(judged);
  return verbStage(verbs.agreement, {
    kind: agreementOf(judged.kind),
    name: judged.name,
    settings: experiment.agreement,
    inputs: { verdicts: { stage: id }, labels: boundFile(labels, `judge.labels.${id}`) },
  });
}

/** The four-condition filter. */
export function conditionsStage({ experiment }: Planned): Stage {
  return verbStage(verbs.conditions, {
    settings: experiment.conditions,
    inputs: {
      beforeVerdicts: { stage: "judge-before" },
      afterVerdicts: { stage: "judge-after" },
      before: { stage: "generate-before" },
      after: { stage: "generate-after" },
    },
    outputs: experiment.rank.nulls.includes(DRIFT) ? ["out", "nullOut"] : ["out"],
  });
}

/** The name of its stage, and what it is called in results. */
interface UnrelatedBehavior {
  readonly stage: string;
  readonly behavior: string;
  readonly isOptional: boolean;
}

/** What the stages of these features are called beside those of states. */
const featuresName = (features: FeatureKind): string => (features === "states" ? "" : features);

const joinNames = (...names: readonly (string | undefined)[]): string =>
  names.filter((name) => name !== undefined && name !== "").join("-");

/** Gradients have one vector, and no layers; along a run one for each of its states. */
function featureLayers(
  experiment: Planned["experiment"],
  inputs: Planned["inputs"],
  features: FeatureKind,
): readonly number[] | "all" {
  if (ALONG_RUN.has(features)) return "all";
  return ONE_VECTOR.has(features) ? [0] : layersOf(experiment, inputs);
}

/** The behaviour of the experiment, or an unrelated one, in some features. */
export function behaviorStage(
  { experiment, inputs }: Planned,
  responses: Bound<ResponsePairs>,
  {
    features,
    unrelated,
  }: {
    readonly features: FeatureKind;
    readonly unrelated?: UnrelatedBehavior | undefined;
  },
): Stage {
  const { behavior: settings } = experiment;
  return verbStage(verbs.behavior, {
    name: joinNames(featuresName(features), unrelated?.stage),
    settings: {
      ...settings,
      ...settingsOfFeatures(features, experiment.embed), // sketched as the pairs are
      conceptLayer: features === "concept" ? experiment.rank.layer : "auto",
      layers: featureLayers(experiment, inputs, features),
      name: unrelated?.behavior ?? settings.name,
    },
    inputs: {
      responses,
      checkpoint: givenCheckpoint(experiment, "before", inputs.before),
      warmup: boundWarmup(features),
      concept: features === "concept" ? { stage: "behavior" } : undefined,
    },
    // A control that cannot be had does not end a run: what it would have been held to is said in the result.
    skipsOn: (error) =>
      unrelated?.isOptional === true && error instanceof NoUsablePairError
        ? error.message
        : undefined,
  });
}

/** The vector store of all pairs, read on the checkpoint before; one for each kind of features that methods need. */
export function embedStage(
  { experiment, inputs }: Planned,
  features: FeatureKind,
  { name = featuresName(features), precision }: EmbedStageOptions = {},
): Stage {
  return verbStage(verbs.embed, {
    name,
    settings: {
      ...experiment.embed,
      ...settingsOfFeatures(features, experiment.embed),
      layers: featureLayers(experiment, inputs, features),
    },
    inputs: {
      pairs: boundPairs(inputs.pairs),
      checkpoint:
        precision === undefined
          ? givenCheckpoint(experiment, "before", inputs.before)
          : heldCheckpoint(experiment, inputs.before, precision),
      warmup: boundWarmup(features),
    },
  });
}

interface EmbedStageOptions {
  /** Default: of the features. */
  readonly name?: string | undefined;
  /** Default: the engine's. */
  readonly precision?: Precision | undefined;
}

/** The first of two passes over the pairs: all of them in low precision. */
export const firstEmbedStage = (planned: Planned): Stage =>
  embedStage(planned, "states", {
    name: FIRST,
    precision: planned.experiment.refine!.precision, // who plans it has the section
  });

const FIRST = "first";

/** The second pass. It has the kind of what it replaces: whatever takes the vectors takes these. */
export function refineStage({ experiment, inputs }: Planned): Stage {
  const { precision: _, ...settings } = experiment.refine!; // who plans it has the section
  return verbStage(verbs.refine, {
    kind: "embed",
    settings: { ...settings, layers: layerToRefine(experiment.rank) },
    inputs: {
      store: { stage: stageId({ kind: "embed", name: FIRST }) },
      behavior: { stage: "behavior" },
      pairs: boundPairs(inputs.pairs),
      checkpoint: givenCheckpoint(experiment, "before", inputs.before),
    },
  });
}

const layerToRefine = ({ layer }: Planned["experiment"]["rank"]): "auto" | readonly number[] =>
  layer === "auto" ? layer : [layer];

/** The response pairs that the behaviour is made of: from outside, or what the conditions found. */
export function boundOwnResponses({ responses }: Planned["inputs"]): Bound<ResponsePairs> {
  return responses === undefined ? { stage: "conditions" } : boundResponses(responses);
}

/** Scores and ranks all stored pairs by one method. */
export function rankStage(
  { experiment, inputs }: Planned,
  choice: MethodChoice,
  trained?: Bound<Checkpoint>,
): Stage {
  const { methods: _, nulls, layer, rollouts: _r, ...settings } = experiment.rank;
  const method = findMethod(choice.name);
  const { needs, uses = [], features = "states", behaviorFeatures = features } = method;
  const { candidates, top } = choice;
  const name = needs.includes("store") ? features : featuresOfMethods(experiment)[0]!; // one at least
  const { traits } = method.describe(ownSettings(choice));
  const hasBehavior = needs.includes("behavior");
  const asked = featuresName(needs.includes("store") ? behaviorFeatures : name);
  const hasNull = hasBehavior && traits.null !== "none";
  return verbStage(verbs.rank, {
    name: methodName(experiment, methodLabel(choice)),
    settings: {
      ...settings,
      method: verbChoice(choice),
      top,
      layer: traits.hasLayer ? layer : undefined,
      threads: experiment.engine.threads,
      noText: true,
    },
    inputs: {
      store: { stage: stageId({ kind: "embed", name: featuresName(name) }) },
      behavior: hasBehavior ? { stage: stageId({ kind: "behavior", name: asked }) } : undefined,
      nullBehavior: hasNull && nulls.length > 0 ? boundNulls(nulls, asked) : undefined,
      pairs: needs.includes("pairs") ? boundPairs(inputs.pairs) : undefined,
      responses: needs.includes("responses") ? boundOwnResponses(inputs) : undefined,
      // What can be asked of an endpoint and is not, is read on the checkpoint.
      checkpoint:
        needs.includes("checkpoint") ||
        (uses.includes("checkpoint") && choice.endpoint === undefined)
          ? givenCheckpoint(experiment, "before", inputs.before)
          : undefined,
      trained,
      rollouts:
        inputs.ownAnswers !== undefined && uses.includes("rollouts")
          ? boundOwnAnswers(inputs.ownAnswers)
          : undefined,
      candidates: candidates === undefined ? undefined : { stage: rankId(experiment, candidates) },
    },
    outputs: ["out"],
    estimate: estimateAskingOfMethod({ inputs }, choice),
  });
}

/** What asking about all pairs would take; of candidates as many pairs as there will be, the first ones, since nobody knows yet which. */
function estimateAskingOfMethod(
  { inputs }: Pick<Planned, "inputs">,
  choice: MethodChoice,
): Stage["estimate"] {
  const method = findMethod(choice.name);
  if (choice.endpoint === undefined || method.estimate === undefined) return undefined;
  return async ({ cache, isForced, input }) => {
    const { pairs, responses } = inputs;
    const folder = input("candidates");
    const how = {
      choice,
      answers: join(cache, verbs.rank.outputs.answers.artifact.name),
      isForced,
    };
    const ranking =
      folder === undefined
        ? undefined
        : await openCandidates(join(folder, verbs.rank.outputs.out.artifact.name));
    const isKnown = choice.candidates === undefined || ranking !== undefined;
    const estimate = await estimateRanking(
      method,
      {
        pairs: isKnown ? pairs : firstPairs(pairs, choice.top!), // contradictions.ts
        candidates: ranking,
        responses: responses && (await readResponsePairs(responses.path)),
      },
      { ...how, top: ranking && choice.top },
    );
    return asking(isKnown, estimate);
  };
}

const firstPairs = (pairs: PairSet, count: number): PairSet => ({
  ...pairs,
  async *read(options) {
    let left = count;
    for await (const row of pairs.read(options)) {
      if (row.kind !== "pair") continue;
      yield row;
      if (--left === 0) return;
    }
  },
});

/** Clusters what training changed in the probe's rollouts. */
export function discoverStage({ experiment, inputs }: Planned): Stage {
  return verbStage(verbs.discover, {
    settings: { ...experiment.discover!, makeBehavior: undefined }, // who plans it has the section
    inputs: {
      store: { stage: stageId({ kind: "embed", name: featuresName("states") }) },
      before: { stage: "generate-before" },
      after: { stage: "generate-after" },
      checkpoint: givenCheckpoint(experiment, "before", inputs.before),
    },
    outputs: ["out"],
  });
}

/** Holds the ranking by a method to the planted truth, which no stage before it has seen. */
export function qualityStage(
  { experiment }: Planned,
  planted: readonly string[],
  choice: MethodChoice,
): Stage {
  const label = methodLabel(choice);
  const { content } = boundValue(planted);
  return verbStage(verbs.quality, {
    name: methodName(experiment, label),
    settings: experiment.quality,
    inputs: {
      ranking: { stage: rankId(experiment, label) },
      planted: { content, open: () => new Set(planted) },
    },
  });
}

/** Steers a checkpoint with the behaviour's direction and with random ones. */
export function steerStage(
  planned: Planned,
  mode: SteeringMode,
  checkpoint: Bound<Checkpoint>,
): Stage {
  const { experiment, inputs } = planned;
  const settings = steerSettings(experiment, mode);
  const prompts = promptsToSteer(planned);
  const layers = settings.layers === "all" ? layersOf(experiment, inputs) : settings.layers;
  const longest = () => longestSteered(prompts, settings, layers?.length ?? 1);
  const stage = verbStage(verbs.steer, {
    name: mode,
    settings,
    inputs: {
      prompts: boundValue(prompts),
      checkpoint,
      behavior: boundBehaviorToSteer(planned),
      ...boundJudge(planned),
    },
    estimate: inputs.rubric && ((place) => estimateAsking(planned, longest(), place, false)),
  });
  return { ...stage, responses: () => [...longest()].map(({ prompt }) => prompt) };
}

/** Decides which pairs an arm edits. Random arms are drawn anew for each seed. */
export function editStage({ experiment, inputs }: Planned, arm: Arm, seed: number): Stage {
  const { action, pick, top, tenth, sources, by, minLift, method, edit } = arm;
  const { pairs, decisions } = inputs;
  const decided = decisions[edit];
  const bound = boundPairs(pairs);
  return verbStage(verbs.edit, {
    name: editName(arm, seed),
    settings: {
      action: action === "review" ? undefined : action,
      pick,
      top,
      sources,
      minLift,
      tenth,
      seed: isRandomPick(pick) ? drawSeed(arm, seed) : undefined,
    },
    inputs: {
      pairs: { ...bound, settings: { ...bound.settings, by }, open: () => ({ pairs, by }) },
      ranking: method === undefined ? undefined : { stage: rankId(experiment, method) },
      decisions: decided && boundDecisions(decided, `edits[${edit}].decisions`),
    },
    outputs: ["plan"],
  });
}

/** The stage's name: one for all seeds where nothing is drawn. */
export function editName(arm: Arm, seed: number): string {
  return isRandomPick(arm.pick) ? `${arm.id}-seed${seed}` : arm.id;
}

/** Held-out preference accuracy, likelihood of good answers, and tasks, item by item. */
export function capabilitiesStage(
  { experiment, inputs }: Planned,
  name: string,
  checkpoint: Bound<Checkpoint>,
): Stage {
  const { pairs, answers, tasks, overRefusal } = inputs.capabilities;
  const { maxTokens = experiment.generate.maxTokens } = experiment.capabilities;
  const file = (what: string, input: FileInput | undefined) =>
    input && boundFile(input, `capabilities.${what}`);
  return verbStage(verbs.capabilities, {
    name,
    settings: { maxTokens },
    inputs: {
      checkpoint,
      pairs: pairs && {
        content: pairs.contentHash,
        setting: "capabilities.pairs",
        open: () => pairs,
      },
      answers: file("answers", answers),
      tasks: file("tasks", tasks),
      overRefusal: file("overRefusal", overRefusal),
    },
  });
}
