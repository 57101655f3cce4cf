import { existsSync } from "node:fs";
import { join } from "node:path";

import { openSafetensors, type SafetensorsFile } from "../format/safetensors.ts";
import { UnsupportedError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import type { CheckpointWeights, ReadFloat32Options } from "./checkpoint-weights.ts";
import { expectAdapterFits, expectTargets, moduleOf } from "./expect-adapter.ts";
import { type LoraConfig, parseLoraConfig } from "./lora-config.ts";
import { addLowRank, addScaled, scaleRows } from "./lora-merge.ts";
import { type LoraPair, type LoraTensors, matchLoraTensors } from "./lora-tensors.ts";
import type { WeightNames } from "./model-family.ts";
import { readJson } from "./read-json.ts";
import { PieceBuffers, readTensorAsFloat32 } from "./weights-read.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
const PICKLED = "adapter_model.bin";

/** Weights with an adapter merged in. */
export interface AdaptedWeights extends CheckpointWeights {
  /** What of this weight the adapter gives other values: all of it, or rows of single tokens. */
  changes(name: string): "all" | "rows" | undefined;
}

/**
 * The weights with a LoRA adapter in PEFT layout merged in: W + scale·B·A, scale = alpha/r, or alpha/√r with `use_rslora`
 * (Hu et al. 2021, arXiv 2106.09685; Kalajdzievski 2023, arXiv 2312.03732); with DoRA its rows are then given trained lengths (Liu et
 * al. 2024, arXiv 2402.09353, eq. 5). Merging happens in float32 when a weight is read. `names`, those of the family, let an adapter of
 * the base model alone fit. Takes over `base`: disposing of the result disposes of both, and a failure here does as well. Throws
 * UnsupportedError naming every key or tensor kind that would change the result and is not handled, FormatError where adapter and base
 * do not fit.
 */
export async function applyLora(
  base: CheckpointWeights,
  adapterDir: string,
  names?: WeightNames,
): Promise<AdaptedWeights> {
  const opened: AsyncDisposable[] = [base];
  try {
    const path = join(adapterDir, CONFIG);
    const hint = `Point at a LoRA adapter folder in PEFT layout: ${CONFIG}, ${WEIGHTS}.`;
    const config = parseLoraConfig(await readJson(path, hint), path);
    expectSafetensors(adapterDir);
    const file = await openSafetensors(join(adapterDir, WEIGHTS));
    opened.push(file);
    expectTargets(base, config, path);
    const tensors = matchLoraTensors(file.tensors.keys(), baseNameReader(base, names), file.path);
    const adapted = new LoraWeights({ base, adapterDir, config, file, tensors });
    await expectAdapterFits(base, config, file, tensors);
    return adapted;
  } catch (error) {
    for (const resource of opened) await resource[Symbol.asyncDispose]();
    throw error;
  }
}

function expectSafetensors(adapterDir: string): void {
  if (existsSync(join(adapterDir, WEIGHTS)) || !existsSync(join(adapterDir, PICKLED))) return;
  throw new UnsupportedError(
    `${adapterDir}: expected ${WEIGHTS}, got pickled weights (${PICKLED})`,
    {
      hint: "Convert them: load the adapter with PEFT (PeftModel.from_pretrained) and call save_pretrained, which writes safetensors.",
    },
  );
}

/** The base weight that a name of the adapter means: as it is, by another name of the head, or of the base model alone. */
function baseNameReader(
  base: CheckpointWeights,
  names: WeightNames | undefined,
): (name: string) => string | undefined {
  return (name) => {
    const head = name === names?.outputMatrixAlias ? names.outputMatrix : name;
    return [head, `${names?.base ?? ""}${name}`].find((each) => base.has(each));
  };
}

interface LoraParts {
  readonly base: CheckpointWeights;
  readonly adapterDir: string;
  readonly config: LoraConfig;
  readonly file: SafetensorsFile;
  readonly tensors: LoraTensors;
}

class LoraWeights implements AdaptedWeights {
  readonly #parts: LoraParts;
  readonly #buffers = new PieceBuffers();

  constructor(parts: LoraParts) {
    this.#parts = parts;
  }

  names(): Iterable<string> {
    return this.#parts.base.names();
  }

  has(name: string): boolean {
    return this.#parts.base.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#parts.base.shape(name);
  }

  expectShape(name: string, shape: readonly number[]): void {
    this.#parts.base.expectShape(name, shape);
  }

  changes(name: string): "all" | "rows" | undefined {
    const { pairs, replacements, rows } = this.#parts.tensors;
    if (pairs.has(name) || replacements.has(name)) return "all";
    return rows.has(name) ? "rows" : undefined;
  }

  async readFloat32(name: string, options: ReadFloat32Options = {}): Promise<Float32Array> {
    const { base, config, tensors } = this.#parts;
    const transpose = options.transpose ?? false;
    const replacement = tensors.replacements.get(name);
    const values =
      replacement === undefined
        ? await base.readFloat32(name, options)
        : await this.#read(replacement, transpose);
    const pair = tensors.pairs.get(name);
    if (pair !== undefined) await this.#addFactors(values, name, { pair, transpose });
    const rows = tensors.rows.get(name);
    if (rows !== undefined) await this.#putRows(values, name, { rows, transpose });
    const bias = tensors.biases.get(name);
    if (bias !== undefined) {
      addScaled(values, await this.#read(bias, false), config.scaling(moduleOf(name)).scale);
    }
    return values;
  }

  async contentHash(): Promise<string> {
    const { base, adapterDir, file } = this.#parts;
    return hashValue({
      base: await base.contentHash(),
      adapterConfig: await hashFile(join(adapterDir, CONFIG)),
      adapter: await hashFile(file.path),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.file.close();
    await this.#parts.base[Symbol.asyncDispose]();
  }

  async #addFactors(
    values: Float32Array,
    name: string,
    { pair, transpose }: { readonly pair: LoraPair; readonly transpose: boolean },
  ): Promise<void> {
    const { config, tensors } = this.#parts;
    // Wanted is B·A [out, in], or its transpose Aᵀ·Bᵀ [in, out]; fan_in_fan_out means that [in, out] is how the base stores it.
    const isInOut = (config.isTransposed || pair.isEmbedding) !== transpose;
    const [left, right] = isInOut ? [pair.a, pair.b] : [pair.b, pair.a];
    addLowRank(
      values,
      await this.#read(left, isInOut),
      await this.#read(right, isInOut),
      config.scaling(moduleOf(name)),
    );
    const magnitude = tensors.magnitudes.get(name);
    if (magnitude === undefined) return;
    scaleRows(values, await this.#read(magnitude, false), { areColumns: isInOut });
  }

  async #putRows(
    values: Float32Array,
    name: string,
    { rows, transpose }: { readonly rows: string; readonly transpose: boolean },
  ): Promise<void> {
    const { base, config } = this.#parts;
    const [count, width] = base.shape(name) as readonly [number, number]; // checked
    const given = await this.#read(rows, false);
    for (const [i, row] of config.tokenRows(moduleOf(name))!.entries()) {
      for (let j = 0; j < width; j++) {
        values[transpose ? j * count + row : row * width + j] = given[i * width + j]!;
      }
    }
  }

  async #read(tensor: string, transpose: boolean): Promise<Float32Array> {
    return readTensorAsFloat32(this.#parts.file, tensor, this.#buffers, { transpose });
  }
}
