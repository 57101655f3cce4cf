/** @file The state of a trainer on disk: weights and moments, and what the run says of itself. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { openSafetensors, writeSafetensors } from "../format/safetensors.ts";
import { FormatError } from "../util/errors.ts";

/** The file in the folder of a state. */
export const STATE_NAME = "state.safetensors";

/** A named array of a training state. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Writes a state into an existing folder, whole or not at all. */
export async function writeStateTensors(
  folder: string,
  state: readonly StateTensor[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const tensors = state.map(({ name, shape, values }) => ({
    name,
    dtype: "F32" as const,
    shape,
    bytes: bytesOf(values),
  }));
  await writeSafetensors(join(folder, STATE_NAME), tensors, metadata);
}

/** Fills the arrays from a folder and gives what was written beside them; undefined where there is no state. Throws FormatError where it is another one's. */
export async function readStateTensors(
  folder: string,
  state: readonly StateTensor[],
): Promise<Readonly<Record<string, string>> | undefined> {
  const path = join(folder, STATE_NAME);
  if (!existsSync(path)) return undefined;
  await using file = await openSafetensors(path);
  const fits = (tensor: StateTensor): boolean =>
    file.tensors.get(tensor.name)?.dtype === "F32" &&
    file.tensors.get(tensor.name)?.shape.join() === tensor.shape.join();
  if (file.tensors.size !== state.length || !state.every(fits)) {
    throw new FormatError(`${path}: not the state of this run`, {
      hint: "Start the run anew with --force.",
    });
  }
  for (const { name, values } of state) bytesOf(values).set(await file.readBytes(name));
  return file.metadata;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
