/** @file Checkpoints out: Hugging Face folders and PEFT adapter folders. */
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { writeSafetensors, type SafetensorsTensor } from "../format/safetensors-write.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { RuntimeError } from "../util/errors.ts";
import { float32ToBfloat16, float32ToFloat16 } from "../util/float16.ts";
import { TEMPLATE_FOLDER } from "./chat-template-files.ts";
import { editJson } from "./edit-json.ts";
import { TRANSPOSED } from "./layers.ts";
import { readJsonObject } from "./tokenizer-config.ts";
import { findNonFinite, type FloatDtype, widenTransposed } from "./weights-convert.ts";

/** A weight by the name that graphs give it: one that ends in `.T` is the transpose of what is stored. */
export interface NamedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Says how to sample from the model. */
const GENERATION = "generation_config.json";
/** Files that belong to the tokenizer. */
const TOKENIZER_FILES = new Set([
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "merges.txt",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "vocab.json",
  "vocab.txt",
]);

const DTYPE_NAMES: Readonly<Record<FloatDtype, string>> = {
  F32: "float32",
  BF16: "bfloat16",
  F16: "float16",
};

/**
 * Writes weights in the order given, as stored (transposes undone). Throws RuntimeError naming a weight that the element type cannot
 * hold.
 */
export async function writeWeights(
  path: string,
  weights: Iterable<NamedWeight>,
  dtype: FloatDtype,
): Promise<void> {
  const tensors = [...weights].map((weight) => storedTensor(weight, dtype));
  await writeSafetensors(path, tensors, { format: "pt" });
}

/** Copies config.json with the weights' element type set in it, and `changes`. */
export async function writeModelConfig(
  fromDir: string,
  toDir: string,
  dtype: FloatDtype,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const path = join(fromDir, "config.json");
  const config = (await readJsonObject(path)) ?? {};
  const key = "torch_dtype" in config && !("dtype" in config) ? "torch_dtype" : "dtype";
  const edited = editJson(await readFile(path, "utf8"), { ...changes, [key]: DTYPE_NAMES[dtype] });
  await writeFileAtomic(join(toDir, "config.json"), edited);
}

/** Copies tokenizer and chat templates, and generation settings, which go with the model. */
export async function copyCompanions(
  from: { readonly tokenizerDir: string; readonly modelDir: string },
  toDir: string,
): Promise<void> {
  const copy = async (dir: string, isWanted: (name: string) => boolean): Promise<void> => {
    for (const name of await readdir(dir)) {
      if (isWanted(name)) await cp(join(dir, name), join(toDir, name), { recursive: true });
    }
  };
  await copy(from.modelDir, (name) => name === GENERATION);
  await copy(from.tokenizerDir, (name) => TOKENIZER_FILES.has(name) || name === TEMPLATE_FOLDER);
}

/** What a PEFT adapter_config.json says of a LoRA adapter. */
export interface AdapterDescription {
  readonly rank: number;
  readonly alpha: number;
  /** The adapted layers' last names, `q_proj`, or whole paths. */
  readonly targets: readonly string[];
  /** As the user named the checkpoint. */
  readonly baseName: string;
}

/** Writes a PEFT LoRA adapter; `factors` are named as in lora-graph.ts. */
export async function writeAdapter(
  dir: string,
  factors: readonly NamedWeight[],
  { rank, alpha, targets, baseName }: AdapterDescription,
  dtype: FloatDtype,
): Promise<void> {
  const prefixed = factors.map((each) => ({ ...each, name: `base_model.model.${each.name}` }));
  await writeWeights(join(dir, "adapter_model.safetensors"), prefixed, dtype);
  await writeJson(join(dir, "adapter_config.json"), {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseName,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets,
    bias: "none",
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
  });
}

function storedTensor({ name, shape, values }: NamedWeight, dtype: FloatDtype): SafetensorsTensor {
  const isTransposed = name.endsWith(TRANSPOSED);
  const storedName = isTransposed ? name.slice(0, -TRANSPOSED.length) : name;
  const storedValues = isTransposed ? transpose(values, shape) : values;
  const bytes = narrow(storedValues, dtype);
  const bad = findNonFinite(bytes, dtype);
  if (bad !== undefined) {
    throw new RuntimeError(
      `weight "${storedName}": ${storedValues[bad]} does not fit into ${dtype}`,
      { hint: "Write the checkpoint as f32 or bf16." },
    );
  }
  return { name: storedName, dtype, shape: isTransposed ? shape.toReversed() : shape, bytes };
}

function transpose(values: Float32Array, shape: readonly number[]): Float32Array {
  const [rows, cols] = shape as readonly [number, number]; // only matrices are transposed
  const target = new Float32Array(values.length);
  const block = { rows, cols, firstRow: 0, totalRows: rows };
  widenTransposed(bytesOf(values), "F32", target, block);
  return target;
}

function narrow(values: Float32Array, dtype: FloatDtype): Uint8Array {
  switch (dtype) {
    case "F32":
      return bytesOf(values);
    case "BF16":
      return bytesOf(float32ToBfloat16(values));
    case "F16":
      return bytesOf(float32ToFloat16(values));
  }
}

function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
