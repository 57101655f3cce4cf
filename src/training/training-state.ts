/** @file What a killed run goes on from: weights, moments, and how far it was. */
import { z } from "zod";

import type { Trainer } from "../engine/trainer.ts";
import type { Plain } from "../util/artifact.ts";
import { FormatError } from "../util/errors.ts";

const count = z.coerce.number().nonnegative();
const progressSchema = z.object({
  /** Steps taken. */
  step: count.int(),
  /** Bytes of the metrics file up to there. */
  metricsBytes: count.int(),
  tokens: count.int(),
  flops: count,
  /** Wall-clock seconds of all sessions. */
  seconds: count,
});
/** How far a run was when its state was written. */
export type TrainingProgress = Plain<typeof progressSchema>;

/** Writes a state into the run's folder, whole or not at all. */
export async function writeState(
  folder: string,
  trainer: Trainer,
  progress: TrainingProgress,
): Promise<void> {
  const texts = Object.entries(progress).map(([key, value]) => [key, String(value)] as const);
  await trainer.saveState(folder, Object.fromEntries(texts));
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
