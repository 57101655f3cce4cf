import { basename, join } from "node:path";

import { quoteName } from "../format/safetensors-header.ts";
import { openSafetensors, type SafetensorsFile } from "../format/safetensors.ts";
import { FormatError, UnsupportedError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import type { CheckpointWeights, ReadFloat32Options } from "./checkpoint-weights.ts";
import { type LoraConfig, parseLoraConfig } from "./lora-config.ts";
import { addLowRank } from "./lora-merge.ts";
import { type LoraTensors, matchLoraTensors } from "./lora-tensors.ts";
import { readJson } from "./read-json.ts";
import { PieceBuffers, readTensorAsFloat32 } from "./weights-read.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";

/**
 * The weights with a LoRA adapter in PEFT layout merged in: W + scale·B·A, scale = alpha/r, or alpha/√r with `use_rslora`
 * (Hu et al. 2021, arXiv 2106.09685; Kalajdzievski 2023, arXiv 2312.03732). Merging happens in float32 when a weight is read.
 * Takes over `base`: disposing of the result disposes of both, and a failure here does as well. Throws UnsupportedError naming
 * every key or tensor kind that would change the result and is not handled, FormatError where adapter and base do not fit.
 */
export async function applyLora(
  base: CheckpointWeights,
  adapterDir: string,
): Promise<CheckpointWeights> {
  const opened: AsyncDisposable[] = [base];
  try {
    const path = join(adapterDir, CONFIG);
    const hint = `Point at a LoRA adapter folder in PEFT layout: ${CONFIG}, ${WEIGHTS}.`;
    const config = parseLoraConfig(await readJson(path, hint), path);
    const file = await openSafetensors(join(adapterDir, WEIGHTS));
    opened.push(file);
    const tensors = matchLoraTensors(file.tensors.keys(), (name) => base.has(name), file.path);
    checkShapes(base, config, file, tensors);
    checkComplete(base, config, file, tensors);
    return new LoraWeights({ base, adapterDir, config, file, tensors });
  } catch (error) {
    for (const resource of opened) await resource[Symbol.asyncDispose]();
    throw error;
  }
}

interface LoraParts {
  readonly base: CheckpointWeights;
  readonly adapterDir: string;
  readonly config: LoraConfig;
  readonly file: SafetensorsFile;
  readonly tensors: LoraTensors;
}

class LoraWeights implements CheckpointWeights {
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

  async readFloat32(name: string, options: ReadFloat32Options = {}): Promise<Float32Array> {
    const { base, config, tensors } = this.#parts;
    const replacement = tensors.replacements.get(name);
    if (replacement !== undefined) return this.#read(replacement, options.transpose ?? false);
    const values = await base.readFloat32(name, options);
    const pair = tensors.pairs.get(name);
    if (pair === undefined) return values;
    // Wanted is B·A [out, in], or its transpose Aᵀ·Bᵀ [in, out]; fan_in_fan_out means that [in, out] is how the base stores it.
    const isInOut = config.isTransposed !== (options.transpose ?? false);
    const [left, right] = isInOut ? [pair.a, pair.b] : [pair.b, pair.a];
    addLowRank(values, await this.#read(left, isInOut), await this.#read(right, isInOut), {
      ...config.scaling(moduleOf(name)),
    });
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

  async #read(tensor: string, transpose: boolean): Promise<Float32Array> {
    return readTensorAsFloat32(this.#parts.file, tensor, this.#buffers, { transpose });
  }
}

function checkShapes(
  base: CheckpointWeights,
  config: LoraConfig,
  file: SafetensorsFile,
  { pairs, replacements }: LoraTensors,
): void {
  const expectShape = (tensor: string, expected: readonly number[]): void => {
    const { shape } = file.tensors.get(tensor)!;
    if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return;
    throw new FormatError(
      `${basename(file.path)}: tensor ${quoteName(tensor)} should be [${expected.join(", ")}], is [${shape.join(", ")}]`,
      { hint: "Check that the adapter was trained on this checkpoint and belongs to its config." },
    );
  };
  for (const [weight, tensor] of replacements) expectShape(tensor, base.shape(weight));
  for (const [weight, { a, b }] of pairs) {
    const stored = base.shape(weight);
    const { rank } = config.scaling(moduleOf(weight));
    const [out, input] = config.isTransposed ? stored.toReversed() : stored;
    if (stored.length !== 2 || out === undefined || input === undefined) {
      throw new UnsupportedError(
        `${basename(file.path)}: tensor ${quoteName(a)} adapts a weight of ${stored.length} dimensions`,
        {
          hint: "Only linear layers can be adapted.",
        },
      );
    }
    if (config.isTransposed && out === input) throw describeAmbiguous(file, a);
    expectShape(a, [rank, input]);
    expectShape(b, [out, rank]);
  }
}

/** Nothing that the config announces may be missing: half an adapter would be merged in silence. */
function checkComplete(
  base: CheckpointWeights,
  config: LoraConfig,
  file: SafetensorsFile,
  { pairs, replacements }: LoraTensors,
): void {
  const hint = "Download the adapter again, or check that it belongs to this checkpoint.";
  if (pairs.size + replacements.size === 0) {
    throw new FormatError(`${file.path}: expected LoRA tensors, got none`, { hint });
  }
  for (const name of base.names()) {
    if (!name.endsWith(".weight")) continue;
    const module = moduleOf(name);
    const isAnnounced = config.isTarget(module) === true || config.isSaved(module);
    if (isAnnounced && !pairs.has(name) && !replacements.has(name)) {
      throw new FormatError(
        `${file.path}: ${CONFIG} names the module ${quoteName(module)}, it has no tensors`,
        { hint },
      );
    }
  }
  const embedding = [...replacements.keys()].find((name) => name.endsWith("embed_tokens.weight"));
  if (embedding !== undefined && !base.has("lm_head.weight")) {
    throw new UnsupportedError(
      `${file.path}: replaces ${quoteName(embedding)}, to which the checkpoint's output layer is tied`,
      {
        hint: "Merge the adapter with PEFT and name the merged folder: whether the tie holds is unclear here.",
      },
    );
  }
}

function describeAmbiguous(file: SafetensorsFile, tensor: string): UnsupportedError {
  return new UnsupportedError(
    `${basename(file.path)}: tensor ${quoteName(tensor)}: fan_in_fan_out on a square weight could mean either order`,
    {
      hint: "Merge the adapter with PEFT (merge_and_unload, save_pretrained) and name the merged folder.",
    },
  );
}

function moduleOf(weight: string): string {
  return weight.replace(/\.[^.]+$/, "");
}
