import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";

import type { OwnAnswers } from "../attribution/method.ts";
import { readBehavior, type StoredBehavior } from "../behavior/behavior-file.ts";
import { readUsedLayer } from "../behavior/used-layer.ts";
import { type DecisionFile, readDecisions } from "../edit/decisions.ts";
import type { EngineOptions } from "../engine/engine-host.ts";
import { findEngine } from "../engine/engines.ts";
/** @file What an experiment starts from, and what its stages make, as the inputs of verbs. */
import type { Precision } from "../engine/precision.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { NoUsablePairError, type ResponsePairs } from "../pairs/response-pairs.ts";
import type { UnusedNull } from "../ranking/signal-verdict.ts";
import { type ScenarioPrompt, scenarioPrompts, type ScenarioSet } from "../rollouts/scenarios.ts";
import { readSkipped } from "../runs/stage-record.ts";
import { hashValue } from "../util/hash.ts";
import { verbs } from "../verbs/index.ts";
import { type Checkpoint, checkpointAt } from "../verbs/inputs/checkpoint.ts";
import { type NullBehaviors, openOwnAnswers } from "../verbs/rank.ts";
import { type BehaviorToSteer, openBehaviorToSteer } from "../verbs/steer.ts";
import type { OpenWork } from "../verbs/verb.ts";
import type { CheckpointInput, ExperimentInputs, FileInput } from "./open-inputs.ts";
import type { Experiment } from "./sections.ts";
import type { Bound, BoundContent, BoundStage, BoundStages } from "./verb-stage.ts";

type TokenSettings = Pick<EngineOptions, "template" | "boundary" | "ignoreUnread">;

/** An experiment and what it reads: what stages are planned from. */
export interface Planned {
  readonly experiment: Experiment;
  readonly inputs: ExperimentInputs;
}

/** How rows become tokens. */
function tokens({ template, boundary, ignoreUnread }: Experiment["checkpoints"]): TokenSettings {
  return { template, boundary, ignoreUnread };
}

/** A folder as a checkpoint; `name` stands in manifests instead of a path of this machine. */
function namedCheckpoint(
  { checkpoints, engine: { kind, stages: _n, ...options } }: Experiment,
  { engines, warn, note }: OpenWork,
  named: EngineOptions & { readonly folder: string },
): Checkpoint {
  const { folder, ...others } = named;
  const how = { ...options, ...tokens(checkpoints), onWarning: warn, onNote: note, ...others };
  return checkpointAt(findEngine(engines, kind), folder, how);
}

/** How checkpoints are read; where a cluster is, how many work there and how many stages work here changes no result. */
const reading = ({
  checkpoints,
  engine: { address: _a, storage: _s, workers: _w, stages: _n, ...engine },
}: Experiment): object => ({ ...tokens(checkpoints), engine });

/** A checkpoint from outside; manifests call it `name`. */
export const givenCheckpoint = (
  experiment: Experiment,
  name: string,
  { folder, hash }: CheckpointInput,
): BoundContent<Checkpoint> => ({
  content: hash,
  setting: `checkpoints.${name}`,
  settings: reading(experiment),
  open: (work) => namedCheckpoint(experiment, work, { name, folder }),
});

/** The checkpoint before with its weights held so. */
export function heldCheckpoint(
  experiment: Experiment,
  before: CheckpointInput,
  precision: Precision,
): BoundContent<Checkpoint> {
  const held = { ...experiment, engine: { ...experiment.engine, precision } };
  return givenCheckpoint(held, "before", before);
}

/** What a training stage has made: a checkpoint, or an adapter to the checkpoint before. */
export const trainedCheckpoint = (
  { experiment, inputs: { before } }: Planned,
  name: string,
  stage: string,
): BoundStage<Checkpoint> => ({
  stage,
  settings: reading(experiment),
  open: (path, work) => {
    const isAdapter = experiment.train?.lora !== undefined;
    const made = isAdapter ? { folder: before.folder, adapter: path } : { folder: path };
    return namedCheckpoint(experiment, work, { name, ...made });
  },
});

/** The pairs as verbs read them; which columns are kept is no part of their content. */
export function boundPairs(pairs: PairSet): BoundContent<PairSet> {
  return {
    content: pairs.contentHash,
    setting: "pairs.files",
    settings: { columns: pairs.columns },
    open: () => pairs,
  };
}

/** A file whose content alone counts, by its path. */
export const boundFile = ({ path, sha256 }: FileInput, setting?: string): BoundContent<string> => ({
  content: sha256,
  setting,
  open: () => path,
});

export const boundValue = <T>(value: T, setting?: string): BoundContent<T> => ({
  content: hashValue(value),
  setting,
  open: () => value,
});

/** Prompts that scenarios make. */
export function boundPrompts(
  set: ScenarioSet,
  variants: readonly string[] | undefined,
): BoundContent<readonly ScenarioPrompt[]> {
  return {
    content: set.sha256,
    settings: { variants },
    open: () => scenarioPrompts(set, variants),
  };
}

const NO_PAIRS =
  "no rollouts of both checkpoints to one prompt that differ and do not show the behaviour";

/** Response pairs of the conditions that do not show the behaviour. Throws NoUsablePairError where they found none. */
export const boundDrift: BoundStage<ResponsePairs> = {
  stage: "conditions",
  artifact: verbs.conditions.outputs.nullOut.artifact.name,
  open: async (path, work) => {
    if ((await stat(path)).size === 0) throw new NoUsablePairError(NO_PAIRS);
    return verbs.behavior.inputs.responses.open([path], {}, work);
  },
};

/** Response pairs from outside. */
export const boundResponses = ({ path, sha256 }: FileInput): Bound<ResponsePairs> => ({
  content: sha256,
  open: (work: OpenWork) => verbs.behavior.inputs.responses.open([path], {}, work),
});

/** What people decided of pairs. */
export const boundDecisions = (
  { path, sha256 }: FileInput,
  setting: string,
): BoundContent<DecisionFile> => ({
  content: sha256,
  setting,
  open: () => readDecisions(path),
});

/** Rollouts from outside. */
export const boundOwnAnswers = ({ path, sha256 }: FileInput): BoundContent<OwnAnswers> => ({
  content: sha256,
  setting: "rank.rollouts",
  open: () => openOwnAnswers(path),
});

/** What an entry of rank.nulls is called in results: drift, or its file's name. */
export const nullBehavior = (entry: string): string => basename(entry, extname(entry));

/** What the stage of the i-th unrelated behaviour is called. */
export const nullName = (i: number): string => `null-${i + 1}`;

/** The unrelated behaviours, as far as there was something to make them of. */
export function boundNulls(
  entries: readonly string[],
  features: string,
): BoundStages<NullBehaviors> {
  const names = entries.map((_, i) => nullName(i));
  const file = verbs.behavior.outputs.out.artifact.name;
  return {
    stages: Object.fromEntries(
      names.map((name) => [name, `behavior-${features === "" ? "" : `${features}-`}${name}`]),
    ),
    open: async (folder) => {
      const behaviors: StoredBehavior[] = [];
      const skipped: UnusedNull[] = [];
      for (const [i, name] of names.entries()) {
        const reason = await readSkipped(folder(name));
        if (reason === undefined) behaviors.push(await readBehavior(join(folder(name), file)));
        else skipped.push({ behavior: nullBehavior(entries[i]!), reason });
      }
      return { behaviors, skipped };
    },
  };
}

/** Whose scenarios are steered on. */
function steeredOn({
  steer,
  evaluate,
}: Pick<Experiment, "steer" | "evaluate">): "probe" | "evaluate" {
  return steer?.on ?? (evaluate === undefined ? "probe" : "evaluate");
}

/** The prompts of the scenarios that are steered on. */
export function promptsToSteer({ experiment, inputs }: Planned): readonly ScenarioPrompt[] {
  const { steer, conditions: filter, evaluate } = experiment;
  const on = steeredOn(experiment);
  const set = inputs[on]!; // contradictions.ts
  const own = on === "probe" ? [filter.plain, filter.trigger] : evaluate?.variants;
  const scenarios = set.scenarios.slice(0, steer?.limit);
  return scenarioPrompts({ ...set, scenarios }, steer?.variants ?? own);
}

/**
 * The behaviour with the layer that rankings use as its chosen one, made from those scenarios alone that are steered on too: two files
 * may give one id to different ones.
 */
export function boundBehaviorToSteer({ experiment, inputs }: Planned): BoundStage<BehaviorToSteer> {
  const { layer } = experiment.rank;
  const differing = differingScenarios(experiment, inputs);
  return {
    stage: "behavior",
    settings: { layer, differing: [...differing] },
    open: async (path) => {
      const opened = await openBehaviorToSteer(path);
      const { stored } = opened;
      const { layer: used, layerReason = "named in the experiment file" } = await readUsedLayer(
        path,
        layer,
      );
      const layerChoice = { kind: "chosen", layer: used, reason: layerReason } as const;
      return {
        ...opened,
        stored: {
          ...stored,
          head: { ...stored.head, layerChoice },
          scenarioIds: stored.scenarioIds.filter((id) => !differing.has(id)),
        },
      };
    },
  };
}

/** Ids that mean another scenario among those steered on than in the probe, or none there. */
function differingScenarios(
  experiment: Experiment,
  { probe, evaluate }: ExperimentInputs,
): ReadonlySet<string> {
  if (steeredOn(experiment) === "probe" || probe === undefined) return new Set();
  const steered = new Map(evaluate?.scenarios.map((each) => [each.id, hashValue(each)]));
  return new Set(
    probe.scenarios.flatMap((each) => (steered.get(each.id) === hashValue(each) ? [] : [each.id])),
  );
}
