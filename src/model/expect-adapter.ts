/** @file Whether an adapter fits the checkpoint and its own config: half of one would be merged in silence. */
import { quoteName } from "../format/safetensors-header.ts";
import type { SafetensorsFile } from "../format/safetensors.ts";
import { FormatError, UnsupportedError } from "../util/errors.ts";
import type { CheckpointWeights } from "./checkpoint-weights.ts";
import type { LoraConfig } from "./lora-config.ts";
import type { LoraTensors } from "./lora-tensors.ts";
import { PieceBuffers, readTensorAsFloat32 } from "./weights-read.ts";

/** `model.layers.0.self_attn.q_proj` of `model.layers.0.self_attn.q_proj.weight`. */
export const moduleOf = (weight: string): string => weight.replace(/\.[^.]+$/, "");

/**
 * Throws FormatError naming a tensor of another shape than base and config give it, or a module that the config announces and that has
 * no tensors; UnsupportedError where the adapter was trained on other weights than these.
 */
export async function expectAdapterFits(
  base: CheckpointWeights,
  config: LoraConfig,
  file: SafetensorsFile,
  tensors: LoraTensors,
): Promise<void> {
  for (const [tensor, shape] of expectedShapes(base, config, file, tensors)) {
    expectShape(file, tensor, shape);
  }
  expectComplete(base, config, file, tensors);
  for (const [weight, tensor] of tensors.baseCopies) await expectCopy(base, file, weight, tensor);
}

/** Throws FormatError where target_modules means no module of the checkpoint at all: no tensors can then fit, and PEFT refuses it. */
export function expectTargets(base: CheckpointWeights, config: LoraConfig, where: string): void {
  const { targets } = config;
  if (targets === undefined) return;
  const modules = [...base.names()].filter((name) => name.endsWith(".weight")).map(moduleOf);
  if (modules.some((module) => targets.matches(module))) return;
  const last = modules
    .filter((module) => base.shape(`${module}.weight`).length === 2)
    .map((module) => module.split(".").at(-1)!);
  throw new FormatError(
    `${where}: target_modules: expected modules of the checkpoint, got ${targets.named}, which none of its modules is; they are called ${[...new Set(last)].toSorted().join(", ")}`,
    { hint: "Check that the adapter was trained on this checkpoint." },
  );
}

/** The module of a factor's tensor as PEFT calls it. */
const moduleOfFactor = (tensor: string): string =>
  tensor.replace(/^base_model\.model\./, "").replace(/\.lora_.*$/s, "");

function expectShape(file: SafetensorsFile, tensor: string, expected: readonly number[]): void {
  const { shape } = file.tensors.get(tensor)!;
  if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return;
  throw new FormatError(
    `${file.path}: tensor ${quoteName(tensor)} should be [${expected.join(", ")}], is [${shape.join(", ")}]`,
    { hint: "Check that the adapter was trained on this checkpoint and belongs to its config." },
  );
}

function* expectedShapes(
  base: CheckpointWeights,
  config: LoraConfig,
  file: SafetensorsFile,
  tensors: LoraTensors,
): Generator<[tensor: string, shape: readonly number[]]> {
  for (const wholes of [tensors.replacements, tensors.baseCopies, tensors.biases]) {
    for (const [weight, tensor] of wholes) yield [tensor, base.shape(weight)];
  }
  for (const [weight, tensor] of tensors.rows) {
    yield [tensor, [rowsOf(base, config, file, weight).length, ...base.shape(weight).slice(1)]];
  }
  for (const [weight, { a, b, isEmbedding }] of tensors.pairs) {
    const stored = base.shape(weight);
    const { rank } = config.scaling(moduleOf(weight));
    const isInOut = config.isTransposed || isEmbedding;
    const [out, input] = isInOut ? stored.toReversed() : stored;
    if (stored.length !== 2 || out === undefined || input === undefined) {
      throw new UnsupportedError(
        `${file.path}: tensor ${quoteName(a)} adapts a weight of ${stored.length} dimensions`,
        { hint: "Only linear layers and embeddings can be adapted." },
      );
    }
    if (config.isTransposed && out === input) throw describeAmbiguous(file, a);
    yield [a, [rank, input]];
    yield [b, [out, rank]];
    const magnitude = tensors.magnitudes.get(weight);
    if (magnitude !== undefined) yield [magnitude, [out]];
  }
}

/** The rows that single tokens have in a table, by the config. */
function rowsOf(
  base: CheckpointWeights,
  config: LoraConfig,
  file: SafetensorsFile,
  weight: string,
): readonly number[] {
  const rows = config.tokenRows(moduleOf(weight));
  const count = base.shape(weight)[0] ?? 0;
  if (rows !== undefined && rows.every((row) => row < count)) return rows;
  throw new FormatError(
    `${file.path}: has rows for ${quoteName(weight)} [${base.shape(weight).join(", ")}], adapter_config.json names ${rows === undefined ? "no tokens for it" : `the token ${Math.max(...rows)}`}`,
    { hint: "Check that adapter_config.json and the tensors belong together." },
  );
}

/** Nothing that the config announces may be missing. */
function expectComplete(
  base: CheckpointWeights,
  config: LoraConfig,
  file: SafetensorsFile,
  { pairs, replacements, rows, magnitudes, biases }: LoraTensors,
): void {
  const hint = "Download the adapter again, or check that it belongs to this checkpoint.";
  const missing = (what: string): FormatError => new FormatError(`${file.path}: ${what}`, { hint });
  if (pairs.size + replacements.size + rows.size === 0) {
    throw missing("expected LoRA tensors, got none");
  }
  if (config.hasTokenRows && rows.size === 0) {
    throw missing("adapter_config.json has trainable_token_indices, the file has no rows for them");
  }
  for (const name of base.names()) {
    if (!name.endsWith(".weight")) continue;
    const module = moduleOf(name);
    const isAnnounced = config.isTarget(module) === true || config.isSaved(module);
    if (isAnnounced && !pairs.has(name) && !replacements.has(name)) {
      throw new FormatError(
        `${file.path}: adapter_config.json names the module ${quoteName(module)}, it has no tensors`,
        {
          hint: `${hint} PEFT writes none, and says nothing, for a module of modules_to_save whose name is another one in the model that it is given (GPT-NeoX has lm_head for embed_out in transformers 5).`,
        },
      );
    }
  }
  for (const [name, { a }] of pairs) {
    // PEFT would leave them out.
    if (config.isTarget(moduleOfFactor(a)) === false) {
      throw new FormatError(
        `${file.path}: tensor ${quoteName(a)} adapts a module that adapter_config.json does not adapt (target_modules ${config.targets?.named ?? "not set"}; exclude_modules and layers_to_transform take from them)`,
        { hint: "Check that adapter_config.json and the tensors belong together." },
      );
    }
    if (config.hasMagnitudes !== magnitudes.has(name)) {
      throw missing(
        `use_dora is ${config.hasMagnitudes}, ${quoteName(a)} has ${magnitudes.has(name) ? "a" : "no"} magnitude vector`,
      );
    }
    if (config.hasBiases !== biases.has(`${moduleOf(name)}.bias`)) {
      throw missing(
        `lora_bias is ${config.hasBiases}, the factors of ${quoteName(moduleOf(name))} have ${config.hasBiases ? "no" : "a"} bias`,
      );
    }
  }
}

async function expectCopy(
  base: CheckpointWeights,
  file: SafetensorsFile,
  weight: string,
  tensor: string,
): Promise<void> {
  const own = await base.readFloat32(weight);
  const copy = await readTensorAsFloat32(file, tensor, new PieceBuffers());
  if (own.every((value, i) => value === copy[i])) return;
  throw new UnsupportedError(
    `${file.path}: tensor ${quoteName(tensor)} differs from ${quoteName(weight)} of the checkpoint, on which the adapter rests`,
    { hint: "Name the checkpoint that the adapter was trained on, in the same element type." },
  );
}

function describeAmbiguous(file: SafetensorsFile, tensor: string): UnsupportedError {
  return new UnsupportedError(
    `${file.path}: tensor ${quoteName(tensor)}: fan_in_fan_out on a square weight could mean either order`,
    {
      hint: "Merge the adapter with PEFT (merge_and_unload, save_pretrained) and name the merged folder.",
    },
  );
}
