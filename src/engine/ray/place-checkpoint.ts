import { randomUUID } from "node:crypto";
/** @file A checkpoint where the cluster's nodes can read it. */
import { copyFile, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { describeWriteError } from "../../util/atomic-file.ts";

/** What transformers and PEFT read of a folder beside the tokenizer, which the worker does not use. */
const NEEDED = /^(config\.json|.*\.safetensors|.*\.safetensors\.index\.json|adapter_config\.json)$/;

/**
 * The folder itself where it lies in the storage; else its copy there, named by the hash of its content and made once. Throws
 * RuntimeError where the disk is full or may not be written.
 */
export async function placeFolder(
  folder: string,
  hashOf: (folder: string) => Promise<string>,
  storage: string,
  onCopy: (line: string) => void,
): Promise<string> {
  const [real, shared] = [await realpath(folder), await realpath(storage)];
  const inside = relative(shared, real);
  if (
    inside !== "" &&
    !inside.startsWith(`..${sep}`) &&
    inside !== ".." &&
    !inside.startsWith(sep)
  ) {
    return join(storage, inside);
  }
  const place = join(storage, "checkpoints", await hashOf(folder));
  if (await isFolder(place)) return place;
  onCopy(`copying ${folder} into the storage, once`);
  const partial = `${place}.${randomUUID()}.partial`;
  try {
    await mkdir(partial, { recursive: true });
    for (const name of await readdir(real)) {
      if (NEEDED.test(name)) await copyFile(join(real, name), join(partial, name));
    }
    await rename(partial, place).catch(async (error: unknown) => {
      // Another process was faster; the same hash has the same content.
      if (!(await isFolder(place))) throw error;
    });
  } catch (error) {
    throw describeWriteError(place, error);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return place;
}

const isFolder = (path: string): Promise<boolean> =>
  readdir(path).then(
    () => true,
    () => false,
  );
