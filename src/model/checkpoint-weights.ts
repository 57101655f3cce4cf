/** @file The weights of a checkpoint folder, whichever files they lie in; one tensor at a time as float32. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { openSafetensors, type SafetensorsFile } from "../format/safetensors.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { readShardMap } from "./shard-map.ts";
import { toFloat32, transposeToFloat32 } from "./tensor-conversion.ts";

/** A checkpoint's weights, read on request. */
export interface CheckpointWeights extends AsyncDisposable {
  names(): Iterable<string>;
  has(name: string): boolean;
  /** Throws FormatError where there is no such tensor. */
  shape(name: string): readonly number[];
  /** Throws FormatError naming both shapes where the tensor's shape is not `shape`. */
  expectShape(name: string, shape: readonly number[]): void;
  /**
   * A tensor as float32, row by row; with `transpose`, a matrix [rows, columns] as [columns, rows]. Throws UnsupportedError for
   * dtypes other than F32, F16 and BF16, FormatError where a value is NaN or infinite.
   */
  readFloat32(name: string, options?: { readonly transpose?: boolean }): Promise<Float32Array>;
  /** Hash over config.json and every weight file. */
  contentHash(): Promise<string>;
}

/** Opens the weights of a checkpoint folder: model.safetensors, or the shards that its index names. */
export async function openWeights(dir: string): Promise<CheckpointWeights> {
  const shardOf = await findShards(dir);
  const files = new Map<string, SafetensorsFile>();
  const close = async (): Promise<void> => {
    for (const file of files.values()) await file.close();
  };
  try {
    for (const name of new Set(shardOf.files)) {
      files.set(name, await openSafetensors(join(dir, name)));
    }
    return new FolderWeights(dir, files, locateTensors(files, shardOf.tensors));
  } catch (error) {
    await close();
    throw error;
  }
}

interface Shards {
  readonly files: readonly string[];
  /** Tensor to file, from the index; undefined where there is one file and no index. */
  readonly tensors: ReadonlyMap<string, string> | undefined;
}

async function findShards(dir: string): Promise<Shards> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    throw new ConfigError(`${dir}: expected a checkpoint folder, it cannot be read`, {
      hint: "Check the path.",
      cause: error,
    });
  }
  if (names.includes("model.safetensors.index.json")) {
    const path = join(dir, "model.safetensors.index.json");
    const tensors = readShardMap(await readFile(path, "utf8"), path);
    const files = [...new Set(tensors.values())];
    const missing = files.find((file) => !names.includes(file));
    if (missing !== undefined) {
      throw new FormatError(`${path}: names the shard "${missing}", which is not in the folder`, {
        hint: "Download the checkpoint again; a shard is missing.",
      });
    }
    return { files, tensors };
  }
  if (names.includes("model.safetensors")) {
    return { files: ["model.safetensors"], tensors: undefined };
  }
  const pickled = names.find((name) => /\.(?:bin|pt|pth)$/.test(name));
  if (pickled !== undefined) {
    throw new UnsupportedError(
      `${dir}: expected safetensors weights, found ${pickled}, which can run code when it is read`,
      {
        hint: "Convert it: load it with transformers and save_pretrained(…, safe_serialization=True).",
      },
    );
  }
  throw new ConfigError(`${dir}: expected model.safetensors or an index of shards, found neither`, {
    hint: "Point at a Hugging Face checkpoint folder.",
  });
}

function locateTensors(
  files: ReadonlyMap<string, SafetensorsFile>,
  index: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, SafetensorsFile> {
  const located = new Map<string, SafetensorsFile>();
  if (index === undefined) {
    for (const file of files.values())
      for (const name of file.tensors.keys()) located.set(name, file);
    return located;
  }
  for (const [name, fileName] of index) {
    const file = files.get(fileName);
    if (file?.tensors.has(name) !== true) {
      throw new FormatError(
        `${fileName}: the index puts the tensor "${name}" here, the file does not have it`,
        { hint: "Index and shards belong to different checkpoints; download them again." },
      );
    }
    located.set(name, file);
  }
  return located;
}

class FolderWeights implements CheckpointWeights {
  readonly #dir: string;
  readonly #files: ReadonlyMap<string, SafetensorsFile>;
  readonly #located: ReadonlyMap<string, SafetensorsFile>;
  /** Raw bytes of the tensor being read; kept, since tensors of one size come by the hundred. */
  #raw = new Uint8Array(0);

  constructor(
    dir: string,
    files: ReadonlyMap<string, SafetensorsFile>,
    located: ReadonlyMap<string, SafetensorsFile>,
  ) {
    this.#dir = dir;
    this.#files = files;
    this.#located = located;
  }

  names(): Iterable<string> {
    return this.#located.keys();
  }

  has(name: string): boolean {
    return this.#located.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#file(name).tensors.get(name)!.shape; // the file has it, see locateTensors
  }

  expectShape(name: string, shape: readonly number[]): void {
    const found = this.shape(name);
    if (found.join() !== shape.join()) {
      throw new FormatError(
        `${this.#where(name)}: config.json makes it [${shape.join(", ")}], the file has [${found.join(", ")}]`,
        { hint: "config.json and the weights belong to different checkpoints." },
      );
    }
  }

  async readFloat32(
    name: string,
    { transpose = false }: { readonly transpose?: boolean } = {},
  ): Promise<Float32Array> {
    const file = this.#file(name);
    const { dtype, shape, byteLength } = file.tensors.get(name)!; // the file has it, see locateTensors
    if (this.#raw.length < byteLength) this.#raw = new Uint8Array(byteLength);
    const bytes = await file.readBytes(name, this.#raw);
    const where = this.#where(name);
    if (!transpose) return toFloat32(where, dtype, bytes);
    const [rows, columns, ...rest] = shape;
    if (rows === undefined || columns === undefined || rest.length > 0) {
      throw new FormatError(`${where}: expected a matrix, got [${shape.join(", ")}]`);
    }
    return transposeToFloat32(where, dtype, bytes, { rows, columns });
  }

  async contentHash(): Promise<string> {
    const hash = createHash("sha256");
    hash.update(await hashFile(join(this.#dir, "config.json")));
    for (const [name, file] of [...this.#files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${name} ${await hashFile(file.path)}\n`);
    }
    return hash.digest("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  #file(name: string): SafetensorsFile {
    const file = this.#located.get(name);
    if (file === undefined) {
      throw new FormatError(`${this.#dir}: the weights have no tensor "${name}"`, {
        hint: "config.json names a family or a size that the weights do not have.",
      });
    }
    return file;
  }

  #where(name: string): string {
    return `${basename(this.#file(name).path)}: tensor "${name}"`;
  }
}
