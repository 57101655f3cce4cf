import { readFile, stat } from "node:fs/promises";

import { quoteName } from "../format/safetensors-header.ts";
import { findDuplicateKey } from "../format/safetensors-json.ts";
import { FormatError } from "../util/errors.ts";

export const WEIGHTS_INDEX = "model.safetensors.index.json";

/** A real index has some 100 bytes a tensor; the largest models have 100,000 tensors. */
const MAX_INDEX_BYTES = 64 * 2 ** 20;

/**
 * Reads `model.safetensors.index.json`: tensor name to the file name of its shard. Throws FormatError where it is not such a
 * map, or where a shard is anything but a plain `.safetensors` name: an index must not lead out of its folder.
 */
export async function readWeightsIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const { size } = await stat(path);
  if (size > MAX_INDEX_BYTES) {
    throw indexError(`${path}: index of ${size} bytes, at most ${MAX_INDEX_BYTES} expected`);
  }
  const text = await readFile(path, "utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw indexError(`${path}: not valid JSON`, cause);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw indexError(`${path}: ${quoteName(duplicate)} is there twice`);
  const map = typeof json === "object" && json !== null && "weight_map" in json && json.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw indexError(`${path}: expected an object weight_map from tensor to shard`);
  }
  const shards = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || !/^[^/\\:\0]+\.safetensors$/.test(shard)) {
      const got = JSON.stringify(shard);
      throw indexError(
        `${path}: tensor ${quoteName(tensor)} should name a .safetensors file beside the index, got ${got}`,
      );
    }
    shards.set(tensor, shard);
  }
  if (shards.size === 0) throw indexError(`${path}: weight_map is empty`);
  return shards;
}

function indexError(message: string, cause?: unknown): FormatError {
  return new FormatError(message, { hint: "Download the index again.", cause });
}
