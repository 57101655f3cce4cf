import { stat } from "node:fs/promises";
import { join } from "node:path";

import { collectActivations } from "../../behavior/activations.ts";
import { writeBehavior } from "../../behavior/behavior-file.ts";
import { computeBehavior } from "../../behavior/behavior.ts";
import { estimateNuisance, nuisanceDoubts } from "../../behavior/nuisance.ts";
import { projectOut } from "../../behavior/project-out.ts";
import { measureResponses } from "../../behavior/response-measures.ts";
import { trainProbe } from "../../behavior/train-probe.ts";
import { openEngine } from "../../engine/open-engine.ts";
import { NoUsablePairError, readResponsePairs } from "../../pairs/response-pairs.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { engineOptions } from "../checkpoint-input.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { withoutFolders } from "../portable-paths.ts";
import type { Experiment } from "../schema.ts";
import { writeSkipped } from "../skipped.ts";
import type { Stage, StageInput, StageWork } from "../stage.ts";

/** The behaviour file of the stage. */
export const BEHAVIOR_NAME = "behavior.safetensors";
/** Why directions that were projected out are not stable, a list of lines; absent unless there are such. */
export const NUISANCE_DOUBTS_NAME = "nuisance-doubts.json";

/** The response pairs that a behaviour is made of. */
export interface BehaviorResponses {
  readonly input: StageInput;
  /** Where the file is, once its stage is done. */
  path(work: StageWork): string;
  /** Of an unrelated behaviour: the name of its stage, and what it is called in results. */
  readonly unrelated?: {
    readonly stage: string;
    readonly behavior: string;
    /** Whether the stage is skipped where no pair is usable, and the run goes on without it. */
    readonly isOptional: boolean;
  };
}

/** Behaviour vectors with their diagnostics, both responses read on the checkpoint before. */
export function behaviorStage(
  experiment: Experiment,
  inputs: ExperimentInputs,
  responses: BehaviorResponses,
): Stage {
  const { checkpoints, engine } = experiment;
  const { unrelated } = responses;
  return {
    kind: "behavior",
    name: unrelated?.stage ?? "",
    version: 5,
    settings: { ...settingsOf(experiment, responses), template: checkpoints.template, engine },
    inputs: { before: { content: inputs.before.hash }, responses: responses.input },
    run: async (work) => {
      try {
        await makeBehavior(experiment, inputs, responses, work);
      } catch (error) {
        if (unrelated?.isOptional !== true || !(error instanceof NoUsablePairError)) throw error;
        await skip(work, unrelated.behavior, error.message);
      }
    },
  };
}

const NO_PAIRS =
  "no rollouts of both checkpoints to one prompt that differ and do not show the behaviour";

/** The settings of the behaviour itself, under the name of the unrelated one where it is that. */
const settingsOf = (
  { behavior }: Experiment,
  { unrelated }: BehaviorResponses,
): Experiment["behavior"] =>
  unrelated === undefined ? behavior : { ...behavior, name: unrelated.behavior };

/** Throws NoUsablePairError where there is nothing to make it of. */
async function makeBehavior(
  experiment: Experiment,
  inputs: ExperimentInputs,
  responses: BehaviorResponses,
  work: StageWork,
): Promise<void> {
  const { layers, maxTokens, probe, orthogonalTo, ...options } = settingsOf(experiment, responses);
  const path = responses.path(work);
  if ((await stat(path)).size === 0) throw new NoUsablePairError(NO_PAIRS);
  const read = await readResponsePairs(path, { signal: work.signal });
  await using opened = await openEngine(inputs.before.folder, engineOptions(experiment, "before"));
  const collected = await collectActivations(opened, read.pairs, {
    layers,
    progress: work.progress("response pairs"),
    maxTokens,
    signal: work.signal,
  });
  const nuisances = orthogonalTo.map((name) =>
    estimateNuisance(collected, measureResponses(name, read.pairs, collected), options),
  );
  await keepDoubts(nuisances.flatMap(nuisanceDoubts), work);
  const activations = nuisances.length === 0 ? collected : projectOut(collected, nuisances);
  const means = computeBehavior(activations, options);
  const job = work.signal === undefined ? {} : { signal: work.signal };
  const found =
    probe === "mean-difference"
      ? means
      : await trainProbe(means, activations, { kind: probe, ...job });
  await writeBehavior(join(work.directory, BEHAVIOR_NAME), found, {
    files: withoutFolders(read.files),
    unusable: read.unusable,
  });
}

async function keepDoubts(doubts: readonly string[], work: StageWork): Promise<void> {
  if (doubts.length === 0) return;
  for (const doubt of doubts) work.progress("response pairs").note(`warning: ${doubt}`);
  const text = `${JSON.stringify(doubts, undefined, 2)}\n`;
  await writeFileAtomic(join(work.directory, NUISANCE_DOUBTS_NAME), text);
}

/** A control that cannot be had does not end a run: what it would have been held to is said in the result. */
async function skip(work: StageWork, behavior: string, message: string): Promise<void> {
  work.progress("response pairs").note(`${behavior} left out as a null: ${message}`);
  await writeSkipped(work.directory, message.replace(`${work.input("responses")}/`, ""));
}
