/** @file What a killed run goes on from: weights, moments, and how far it was. */
import { z } from "zod";

import type { Trainer } from "../engine/trainer.ts";
import { FormatError } from "../util/errors.ts";

/** How far a run was when its state was written. */
export interface TrainingProgress {
  /** Steps taken. */
  readonly step: number;
  /** Bytes of the metrics file up to there. */
  readonly metricsBytes: number;
  readonly tokens: number;
  readonly flops: number;
  /** Wall-clock seconds of all sessions. */
  readonly seconds: number;
}

const count = z.coerce.number().nonnegative();
const progressSchema = z.object({
  step: count.int(),
  metricsBytes: count.int(),
  tokens: count.int(),
  flops: count,
  seconds: count,
});

/** Writes a state into the run's folder, whole or not at all. */
export async function writeState(
  folder: string,
  trainer: Trainer,
  progress: TrainingProgress,
): Promise<void> {
  const metadata = Object.entries(progress).map(([key, value]) => [key, String(value)] as const);
  await trainer.saveState(folder, Object.fromEntries(metadata));
}

/** Lets the trainer go on from the state in the run's folder; undefined where there is none. Throws FormatError where it is another run's. */
export async function readState(
  folder: string,
  trainer: Trainer,
): Promise<TrainingProgress | undefined> {
  const metadata = await trainer.loadState(folder);
  if (metadata === undefined) return undefined;
  const parsed = progressSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  throw new FormatError(`${folder}: its state does not say how far it was`, {
    hint: "Start the run anew with --force.",
  });
}
