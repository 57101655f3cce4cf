/**
 * @file LoRA adapters in PEFT layout, merged while weights are read: W + s·B·A (Hu et al. 2021, section 4.1), s = α/r, or α/√r
 * where the adapter says so.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { openSafetensors, type SafetensorsFile } from "../format/safetensors.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import type { CheckpointWeights } from "./checkpoint-weights.ts";
import { type LoraConfig, readLoraConfig } from "./lora-config.ts";
import { toFloat32 } from "./tensor-conversion.ts";

const PREFIX = "base_model.model.";

/**
 * The weights of `base` with the adapter in `adapterDir` merged in as they are read. Takes over `base`. Throws UnsupportedError for
 * adapters that are more than plain LoRA, FormatError where a tensor of the adapter fits no weight.
 */
export async function applyLora(
  base: CheckpointWeights,
  adapterDir: string,
): Promise<CheckpointWeights> {
  const config = readLoraConfig(
    await readJson(join(adapterDir, "adapter_config.json")),
    join(adapterDir, "adapter_config.json"),
  );
  const file = await openSafetensors(join(adapterDir, "adapter_model.safetensors"));
  try {
    const parts = collectParts(base, file, config);
    return new MergedWeights({ base, adapterDir, file, parts });
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readJson(path: string): Promise<unknown> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read`, {
      hint: "An adapter folder holds adapter_config.json and adapter_model.safetensors.",
      cause: error,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FormatError(`${path}: not valid JSON`, { cause: error });
  }
}

/** What an adapter does to one weight. */
type Part =
  | {
      readonly kind: "low-rank";
      readonly a: string;
      readonly b: string;
      readonly scale: number;
      readonly rank: number;
      readonly isTransposed: boolean;
    }
  /** `modules_to_save`: the weight was trained in full. */
  | { readonly kind: "replaced"; readonly tensor: string };

function collectParts(
  base: CheckpointWeights,
  file: SafetensorsFile,
  config: LoraConfig,
): ReadonlyMap<string, Part> {
  const parts = new Map<string, Part>();
  for (const tensor of file.tensors.keys()) {
    const path = tensor.startsWith(PREFIX) ? tensor.slice(PREFIX.length) : tensor;
    const low = /^(.*)\.lora_(A|B)(?:\.default)?\.weight$/.exec(path);
    if (low === null) {
      const weight = path.replace(".modules_to_save.default", "").replace(".modules_to_save", "");
      if (path.includes("lora_") || !base.has(weight)) throw misfit(file, tensor);
      expectSame(file, tensor, base.shape(weight));
      parts.set(weight, { kind: "replaced", tensor });
      continue;
    }
    const module = low[1]!; // the pattern has two groups
    const weight = `${module}.weight`;
    const b = tensor.replace(".lora_A", ".lora_B");
    const a = tensor.replace(".lora_B", ".lora_A");
    if (!base.has(weight) || !file.tensors.has(a) || !file.tensors.has(b)) {
      throw misfit(file, tensor);
    }
    if (low[2] === "A")
      parts.set(weight, lowRankPart(base, file, { module, weight, a, b, config }));
  }
  if (parts.size === 0) throw new FormatError(`${file.path}: the adapter has no tensors`);
  return parts;
}

function lowRankPart(
  base: CheckpointWeights,
  file: SafetensorsFile,
  at: { module: string; weight: string; a: string; b: string; config: LoraConfig },
): Part {
  const { config } = at;
  const rank = patternValue(config.rankPattern, at.module) ?? config.rank;
  const alpha = patternValue(config.alphaPattern, at.module) ?? config.alpha;
  const [rows, columns] = base.shape(at.weight);
  const [out, inner] = config.isFanInFanOut ? [columns, rows] : [rows, columns];
  expectSame(file, at.a, [rank, inner ?? 0]);
  expectSame(file, at.b, [out ?? 0, rank]);
  return {
    kind: "low-rank",
    a: at.a,
    b: at.b,
    rank,
    scale: alpha / (config.isRankStabilised ? Math.sqrt(rank) : rank),
    isTransposed: config.isFanInFanOut,
  };
}

/** A pattern's key names the end of a module's path, or is a regular expression for it. */
function patternValue(
  pattern: Readonly<Record<string, number>>,
  module: string,
): number | undefined {
  const key = Object.keys(pattern).find((each) =>
    new RegExp(`^(?:.*\\.)?(?:${each})$`).test(module),
  );
  return key === undefined ? undefined : pattern[key];
}

function misfit(file: SafetensorsFile, tensor: string): FormatError {
  return new FormatError(`${file.path}: tensor "${tensor}" fits no weight of the checkpoint`, {
    hint: "The adapter belongs to another checkpoint, or is no plain LoRA adapter.",
  });
}

function expectSame(file: SafetensorsFile, tensor: string, shape: readonly number[]): void {
  const found = file.tensors.get(tensor)!.shape; // callers checked that it is there
  if (found.join() !== shape.join()) {
    throw new FormatError(
      `${file.path}: tensor "${tensor}": expected [${shape.join(", ")}], got [${found.join(", ")}]`,
      { hint: "The adapter belongs to another checkpoint." },
    );
  }
}

class MergedWeights implements CheckpointWeights {
  readonly #base: CheckpointWeights;
  readonly #adapterDir: string;
  readonly #file: SafetensorsFile;
  readonly #parts: ReadonlyMap<string, Part>;

  constructor(from: {
    base: CheckpointWeights;
    adapterDir: string;
    file: SafetensorsFile;
    parts: ReadonlyMap<string, Part>;
  }) {
    this.#base = from.base;
    this.#adapterDir = from.adapterDir;
    this.#file = from.file;
    this.#parts = from.parts;
  }

  names(): Iterable<string> {
    return this.#base.names();
  }

  has(name: string): boolean {
    return this.#base.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#base.shape(name);
  }

  expectShape(name: string, shape: readonly number[]): void {
    this.#base.expectShape(name, shape);
  }

  async readFloat32(
    name: string,
    options: { readonly transpose?: boolean } = {},
  ): Promise<Float32Array> {
    const part = this.#parts.get(name);
    if (part === undefined) return this.#base.readFloat32(name, options);
    const transpose = options.transpose === true;
    const [rows = 0, columns = 1] = this.shape(name);
    if (part.kind === "replaced") {
      const values = await this.#read(part.tensor);
      return transpose ? turn(values, rows, columns) : values;
    }
    const merged = await this.#base.readFloat32(name, options);
    const b = await this.#read(part.b); // [out, r]
    const a = await this.#read(part.a); // [r, in]
    // What is read is [out, in] unless exactly one of the two turns it.
    addProduct(merged, { ...part, b, a, isTransposed: transpose !== part.isTransposed });
    return merged;
  }

  async contentHash(): Promise<string> {
    const hash = createHash("sha256");
    hash.update(await this.#base.contentHash());
    hash.update(await hashFile(join(this.#adapterDir, "adapter_config.json")));
    hash.update(await hashFile(this.#file.path));
    return hash.digest("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await this.#base[Symbol.asyncDispose]();
  }

  async #read(tensor: string): Promise<Float32Array> {
    const { dtype } = this.#file.tensors.get(tensor)!; // parts name tensors of the file
    const bytes = await this.#file.readBytes(tensor);
    return toFloat32(`${this.#file.path}: tensor "${tensor}"`, dtype, bytes);
  }
}

/** into += scale · B·A, `into` being [out, in], or [in, out] where transposed. */
function addProduct(
  into: Float32Array,
  by: {
    readonly b: Float32Array;
    readonly a: Float32Array;
    readonly rank: number;
    readonly scale: number;
    readonly isTransposed: boolean;
  },
): void {
  const { rank, scale, isTransposed } = by;
  const outDim = by.b.length / rank;
  const inDim = by.a.length / rank;
  const left = isTransposed ? turn(by.a, rank, inDim) : by.b; // [rows, r]
  const right = isTransposed ? turn(by.b, outDim, rank) : by.a; // [r, columns]
  const [rows, columns] = isTransposed ? [inDim, outDim] : [outDim, inDim];
  const sum = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = left[row * rank + k]!;
      const start = k * columns;
      for (let column = 0; column < columns; column++)
        sum[column]! += factor * right[start + column]!;
    }
    for (let column = 0; column < columns; column++)
      into[row * columns + column]! += scale * sum[column]!;
  }
}

function turn(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return turned;
}
