/**
 * @file Log-probabilities of responses under the start checkpoint, kept by content: key is the checkpoint and the tokens of prompt and
 * response, so runs over edited data (pairs dropped, sides exchanged) find what earlier runs computed.
 *
 * A cache has one folder for each checkpoint, in it files of some hundred values each, written whole or not at all and named
 * by what they hold, so that several runs may write at a time.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { TokenizedExample } from "../engine/engine.ts";
import type { Trainer } from "../engine/trainer.ts";
import { openSafetensors, writeSafetensors } from "../format/safetensors.ts";
import { FormatError } from "../util/errors.ts";
import { makeFolder } from "../util/make-folder.ts";
import type { JobOptions } from "../util/progress.ts";

/** Examples computed and written together, the unit of resume. */
const CHUNK_EXAMPLES = 512;
/** Bytes of a key: enough that no two responses of any data set meet. */
const KEY_BYTES = 16;

/** By folder, the last of those in this process that read it and add to it: the next finds what they added. */
const turns = new Map<string, Promise<unknown>>();

/**
 * Log-probabilities [responses] of each example under the trainer's start checkpoint, in nats; computes what `directory` lacks and adds
 * it there.
 */
export async function referenceLogprobs(
  trainer: Pick<Trainer, "identity" | "startLogprobs">,
  examples: readonly TokenizedExample[],
  directory: string,
  { signal, progress }: JobOptions = {},
): Promise<readonly (readonly number[])[]> {
  const folder = join(directory, trainer.identity.checkpointHash.slice(0, 32));
  const turn = (turns.get(folder) ?? Promise.resolve()).then(() =>
    addMissing(trainer, examples, folder, { signal, progress }),
  );
  turns.set(
    folder,
    turn.catch(() => {}), // said to whoever asked
  );
  return turn;
}

async function addMissing(
  trainer: Pick<Trainer, "startLogprobs">,
  examples: readonly TokenizedExample[],
  folder: string,
  { signal, progress }: JobOptions,
): Promise<readonly (readonly number[])[]> {
  const job = signal === undefined ? {} : { signal };
  await makeFolder(folder);
  const known = await readCache(folder);
  const keys = examples.map(keysOf);
  const missing = firstWithMissing(keys, known);
  // A chunk depends on what was missing at its start only: a run that was killed computes the same chunks again.
  for (let start = 0; start < missing.length; start += CHUNK_EXAMPLES) {
    const chunk = missing.slice(start, start + CHUNK_EXAMPLES);
    const found = new Map<string, number>();
    let done = start;
    const wanted = chunk.map((i) => examples[i]!);
    for await (const { index, logprobs } of trainer.startLogprobs(wanted, job)) {
      for (const [r, key] of keys[chunk[index]!]!.entries()) {
        if (!known.has(key)) found.set(key, logprobs[r]!);
      }
      progress?.update(++done, missing.length);
    }
    await writeChunk(folder, found);
    for (const [key, value] of found) known.set(key, value);
  }
  return keys.map((each) => each.map((key) => known.get(key)!)); // nothing is missing now
}

/** Examples with a response that the cache lacks, each missing response counted at its first example only. */
function firstWithMissing(
  keys: readonly (readonly string[])[],
  known: ReadonlyMap<string, number>,
): number[] {
  const wanted = new Set<string>();
  return keys.flatMap((each, i) => {
    const isNew = each.some((key) => !known.has(key) && !wanted.has(key));
    for (const key of each) wanted.add(key);
    return isNew ? [i] : [];
  });
}

/** One key a response. */
function keysOf({ prompt, responses }: TokenizedExample): readonly string[] {
  return responses.map((response) => {
    const hash = createHash("sha256");
    hash.update(String(prompt.length)); // where the response begins
    for (const tokens of [prompt, response]) {
      hash.update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength));
    }
    return hash.digest().subarray(0, KEY_BYTES).toString("hex");
  });
}

async function readCache(folder: string): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  for (const name of (await readdir(folder)).toSorted()) {
    if (!name.endsWith(".safetensors")) continue;
    await using file = await openSafetensors(join(folder, name));
    const keys = file.tensors.get("keys");
    const values = file.tensors.get("logprobs");
    const count = values?.shape[0] ?? 0;
    if (
      keys?.dtype !== "U8" ||
      values?.dtype !== "F64" ||
      keys.shape.join() !== [count, KEY_BYTES].join()
    ) {
      throw new FormatError(`${join(folder, name)}: not a file of reference log-probabilities`, {
        hint: "Delete it; the values are then computed again.",
      });
    }
    const keyBytes = Buffer.from(await file.readBytes("keys"));
    const valueBytes = Buffer.from(await file.readBytes("logprobs"));
    for (let i = 0; i < count; i++) {
      const key = keyBytes.toString("hex", i * KEY_BYTES, (i + 1) * KEY_BYTES);
      // Two runs at a time may have computed one value in different batches: files are read in the order of their names.
      if (!known.has(key)) known.set(key, valueBytes.readDoubleLE(i * 8));
    }
  }
  return known;
}

async function writeChunk(folder: string, found: ReadonlyMap<string, number>): Promise<void> {
  const entries = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const keys = Buffer.from(entries.map(([key]) => key).join(""), "hex");
  const values = Buffer.alloc(entries.length * 8);
  for (const [i, [, value]] of entries.entries()) values.writeDoubleLE(value, i * 8);
  const name = createHash("sha256").update(keys).digest("hex").slice(0, 32);
  await writeSafetensors(join(folder, `${name}.safetensors`), [
    { name: "keys", dtype: "U8", shape: [entries.length, KEY_BYTES], bytes: keys },
    { name: "logprobs", dtype: "F64", shape: [entries.length], bytes: values },
  ]);
}
