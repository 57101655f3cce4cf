import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { quoteName } from "../format/safetensors-header.ts";
import { openSafetensors, type SafetensorsFile } from "../format/safetensors.ts";
import { ConfigError, type CulpritError, FormatError, UnsupportedError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { placeTensors } from "./place-tensors.ts";
import { readWeightsIndex, WEIGHTS_INDEX as INDEX } from "./weights-index.ts";
import { PieceBuffers, readTensorAsFloat32, type ReadFloat32Options } from "./weights-read.ts";

export type { ReadFloat32Options } from "./weights-read.ts";

/** The weights of a checkpoint by name, read one at a time on request. Dispose of it when done. */
export interface CheckpointWeights extends AsyncDisposable {
  /** Names as the files have them, such as `model.layers.0.self_attn.q_proj.weight`. */
  names(): Iterable<string>;
  has(name: string): boolean;
  /** Stored sizes: a linear layer's weight is [out, in]. Throws FormatError where there is no such weight. */
  shape(name: string): readonly number[];
  /** Throws FormatError naming both shapes where the weight is missing or has another shape. */
  expectShape(name: string, shape: readonly number[]): void;
  /**
   * A weight as float32 in fresh memory, row-major; F32, F16 and BF16 convert without loss. Throws FormatError where a value is
   * NaN or infinite, UnsupportedError for other dtypes and for weights above the buffer limit, each naming the weight.
   */
  readFloat32(name: string, options?: ReadFloat32Options): Promise<Float32Array>;
  /** SHA-256, hex, over the bytes of config.json and all weights (adapters included); reads all of them, keeps nothing. */
  contentHash(): Promise<string>;
}

const SINGLE = "model.safetensors";

/**
 * Opens the weights of a Hugging Face checkpoint folder: `model.safetensors`, or `model.safetensors.index.json` with its shards.
 * Only headers are read. Throws ConfigError where the folder has no weights, UnsupportedError where it has pickled ones only,
 * FormatError where index and shards do not fit together.
 */
export async function openWeights(dir: string): Promise<CheckpointWeights> {
  const files = await listFolder(dir);
  if (!files.has("config.json")) {
    throw new ConfigError(`${dir}: expected config.json beside the weights, it is not there`, {
      hint: "Point at a Hugging Face checkpoint folder: config.json, *.safetensors, tokenizer.json.",
    });
  }
  if (!files.has(INDEX)) {
    if (!files.has(SINGLE)) throw describeNoWeights(dir, files);
    const file = await openSafetensors(join(dir, SINGLE));
    return new StoredWeights(
      dir,
      [file],
      new Map([...file.tensors.keys()].map((name) => [name, file])),
    );
  }
  const shardOf = await readWeightsIndex(join(dir, INDEX));
  const shardNames = [...new Set(shardOf.values())].toSorted();
  if (files.has(SINGLE) && !shardNames.includes(SINGLE)) {
    throw new ConfigError(`${dir}: has both ${SINGLE} and an index that does not name it`, {
      hint: `Remove ${SINGLE} or ${INDEX}, whichever is old.`,
    });
  }
  const missing = shardNames.find((name) => !files.has(name));
  if (missing !== undefined) {
    throw new FormatError(
      `${dir}: ${INDEX} names the shard ${quoteName(missing)}, which is not there`,
      {
        hint: "Download the shard.",
      },
    );
  }
  return openShards(dir, shardNames, shardOf);
}

async function openShards(
  dir: string,
  shardNames: readonly string[],
  shardOf: ReadonlyMap<string, string>,
): Promise<CheckpointWeights> {
  const opened = new Map<string, SafetensorsFile>();
  try {
    for (const name of shardNames) opened.set(name, await openSafetensors(join(dir, name)));
    const fileOf = await placeTensors(dir, opened, shardOf);
    return new StoredWeights(dir, [...opened.values()], fileOf);
  } catch (error) {
    for (const file of opened.values()) await file.close();
    throw error;
  }
}

class StoredWeights implements CheckpointWeights {
  readonly #dir: string;
  readonly #files: readonly SafetensorsFile[];
  readonly #fileOf: ReadonlyMap<string, SafetensorsFile>;
  readonly #buffers = new PieceBuffers();

  constructor(
    dir: string,
    files: readonly SafetensorsFile[],
    fileOf: ReadonlyMap<string, SafetensorsFile>,
  ) {
    this.#dir = dir;
    this.#files = files;
    this.#fileOf = fileOf;
  }

  names(): Iterable<string> {
    return this.#fileOf.keys();
  }

  has(name: string): boolean {
    return this.#fileOf.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#file(name).tensors.get(name)!.shape;
  }

  expectShape(name: string, shape: readonly number[]): void {
    const stored = this.shape(name);
    if (stored.length === shape.length && stored.every((size, i) => size === shape[i])) return;
    throw new FormatError(
      `${this.#dir}: tensor ${quoteName(name)} should be [${shape.join(", ")}] by config.json, is [${stored.join(", ")}]`,
      { hint: "Check that config.json and the weights belong to the same checkpoint." },
    );
  }

  async readFloat32(name: string, options?: ReadFloat32Options): Promise<Float32Array> {
    return readTensorAsFloat32(this.#file(name), name, this.#buffers, options);
  }

  async contentHash(): Promise<string> {
    const weights: string[] = [];
    for (const file of this.#files) weights.push(await hashFile(file.path));
    return hashValue({ config: await hashFile(join(this.#dir, "config.json")), weights });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file.close();
  }

  #file(name: string): SafetensorsFile {
    const file = this.#fileOf.get(name);
    if (file !== undefined) return file;
    throw new FormatError(`${this.#dir}: the weights lack the tensor ${quoteName(name)}`, {
      hint: "Check that config.json and the weights belong to the same checkpoint.",
    });
  }
}

async function listFolder(dir: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(dir));
  } catch (cause) {
    throw new ConfigError(`${dir}: expected a checkpoint folder, cannot list it`, {
      hint: "Point at a Hugging Face checkpoint folder: config.json, *.safetensors, tokenizer.json.",
      cause,
    });
  }
}

function describeNoWeights(dir: string, files: ReadonlySet<string>): CulpritError {
  const names = [...files];
  const pickled = names.find((name) => /\.(?:bin|pt|pth|ckpt)(?:\.index\.json)?$/.test(name));
  if (pickled !== undefined) {
    return new UnsupportedError(
      `${dir}: expected ${SINGLE} or ${INDEX}, got pickled weights (${pickled})`,
      {
        hint: "Convert them: load the folder with transformers and call save_pretrained, which writes safetensors.",
      },
    );
  }
  const other = names.find((name) => name.endsWith(".safetensors"));
  const got = other === undefined ? "neither" : `only files such as ${other}`;
  return new ConfigError(`${dir}: expected ${SINGLE} or ${INDEX}, got ${got}`, {
    hint: "Download the whole checkpoint; shards need their index.",
  });
}
