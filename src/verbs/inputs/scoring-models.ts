/** @file The checkpoints that attribution methods ask for log-probabilities. */
import { z } from "zod";

import type { ScoringModel } from "../../attribution/scoring-model.ts";
import { blockFlops } from "../../engine/checkpoint-size.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Input, OpenWork } from "../verb.ts";
import {
  type Checkpoint,
  checkpointAt,
  checkpointInput,
  checkpointSettings,
} from "./checkpoint.ts";
import { warnOfSameCheckpoint } from "./same-checkpoint.ts";

/** Threads are a setting of the verb. */
const scoringSettings = checkpointSettings.omit({ threads: true });

export const scoringInput = {
  ...checkpointInput,
  settings: scoringSettings,
  describe: "The checkpoint before training, for methods that ask it for log-probabilities.",
  isOptional: true,
  open: (paths, options, work) => checkpointInput.open(paths, options, work),
} as const satisfies Input<Checkpoint, typeof scoringSettings>;

const trainedSettings = z.strictObject({
  trainedAdapter: checkpointSettings.shape.adapter.meta({
    description: "A LoRA adapter to merge into the trained checkpoint. Absent: none.",
    placeholder: "DIR",
  }),
});

export const trainedInput = {
  ...checkpointInput,
  settings: trainedSettings,
  describe:
    "The checkpoint after training, for methods that compare the two; opened as the one before.",
  isOptional: true,
  open: (paths, { trainedAdapter: adapter }, work) =>
    checkpointInput.open(paths, { ...checkpointSettings.parse({}), adapter }, work),
} as const satisfies Input<Checkpoint, typeof trainedSettings>;

/** What a method asks; disposing of it closes the checkpoints. */
export interface ScoringModels extends AsyncDisposable {
  readonly sources: {
    readonly checkpoint?: ScoringModel | undefined;
    readonly trained?: ScoringModel | undefined;
  };
}

/** Opens what is there; the trained checkpoint as the one before, with its own adapter. Warns where they are one. */
export async function openScoringModels(
  before: Checkpoint | undefined,
  after: Checkpoint | undefined,
  { threads, warn }: { readonly threads: number | undefined; readonly warn: OpenWork["warn"] },
): Promise<ScoringModels> {
  const opened: Engine[] = [];
  const close = async (): Promise<void> => {
    for (const engine of opened.splice(0)) await engine[Symbol.asyncDispose]();
  };
  const open = async (
    { host, options: how }: Checkpoint,
    { folder, name, options: { adapter } }: Checkpoint,
  ): Promise<ScoringModel> => {
    const checkpoint = checkpointAt(host, folder, { ...how, name, adapter, threads });
    const size = await checkpoint.size();
    const engine = await checkpoint.open();
    opened.push(engine);
    const flopsToLayer = (layer: number): number => blockFlops(size, layer);
    const flopsPerToken = flopsToLayer(size.layerCount) + 2 * size.headParameters;
    const origin = { host, folder, options: checkpoint.options };
    return { engine, flopsPerToken, flopsToLayer, origin };
  };
  try {
    const checkpoint = before && (await open(before, before));
    const trained = after && (await open(before ?? after, after));
    warnOfSameCheckpoint(checkpoint?.engine.identity, trained?.engine.identity, warn);
    return { sources: { checkpoint, trained }, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
