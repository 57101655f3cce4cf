/** @file What a killed run goes on from: weights, moments, and how far it was. */
import { existsSync } from "node:fs";

import { z } from "zod";

import type { StateTensor, Trainer } from "../engine/trainer.ts";
import { openSafetensors, writeSafetensors } from "../format/safetensors.ts";
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

/** Writes a state, whole or not at all. */
export async function writeState(
  path: string,
  trainer: Trainer,
  progress: TrainingProgress,
): Promise<void> {
  const tensors = (await trainer.state()).map(({ name, shape, values }) => ({
    name,
    dtype: "F32" as const,
    shape,
    bytes: bytesOf(values),
  }));
  const metadata = Object.fromEntries(
    Object.entries(progress).map(([key, value]) => [key, String(value)]),
  );
  await writeSafetensors(path, tensors, metadata);
}

/** Fills the trainer from a state; undefined where there is none. Throws FormatError where it is another trainer's. */
export async function readState(
  path: string,
  trainer: Trainer,
): Promise<TrainingProgress | undefined> {
  if (!existsSync(path)) return undefined;
  await using file = await openSafetensors(path);
  const parsed = progressSchema.safeParse(file.metadata);
  const state = await trainer.state();
  const fits = (tensor: StateTensor): boolean =>
    file.tensors.get(tensor.name)?.dtype === "F32" &&
    file.tensors.get(tensor.name)?.shape.join() === tensor.shape.join();
  if (!parsed.success || file.tensors.size !== state.length || !state.every(fits)) {
    throw new FormatError(`${path}: not the state of this run`, {
      hint: "Start the run anew with --force.",
    });
  }
  for (const { name, values } of state) bytesOf(values).set(await file.readBytes(name));
  trainer.restored(parsed.data.step);
  return parsed.data;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
