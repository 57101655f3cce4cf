import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { writeSafetensors, type SafetensorsTensor } from "../../src/format/safetensors.ts";
import { createRng, type Rng } from "../../src/util/rng.ts";

const TOKENIZERS = fileURLToPath(new URL("../golden/tokenizer/", import.meta.url));

export const TINY_FAMILIES = ["llama", "mistral", "olmo2", "olmo3", "qwen2", "qwen3"] as const;
export type TinyFamily = (typeof TINY_FAMILIES)[number];

export interface TinyCheckpointOptions {
  /** Default "llama". */
  readonly family?: TinyFamily;
  /** A folder of test/golden/tokenizer; default "chatml". */
  readonly tokenizer?: string;
  /** Seeds the weights; default 1. */
  readonly seed?: number;
  /** Overrides members of config.json, before the weights are made to fit; undefined removes one. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Splits the weights over this many files with an index; default: one file without. */
  readonly shards?: number;
  /** Changes the weights just before they are written. */
  readonly edit?: (weights: Map<string, TinyWeight>) => void;
}

export interface TinyWeight {
  shape: readonly number[];
  values: Float32Array;
}

/**
 * Writes a random checkpoint of 3 blocks and 32 dimensions with a real tokenizer and chat template into `dir`. The same options
 * give the same bytes.
 */
export async function makeTinyCheckpoint(
  dir: string,
  options: TinyCheckpointOptions = {},
): Promise<string> {
  const { family = "llama", tokenizer = "chatml", seed = 1 } = options;
  await mkdir(dir, { recursive: true });
  await cp(join(TOKENIZERS, tokenizer), dir, {
    recursive: true,
    filter: (path) => !path.endsWith("golden.json"),
  });
  const config = {
    ...COMMON,
    ...FAMILY_CONFIG[family],
    vocab_size: await countTokens(join(dir, "tokenizer.json")),
    ...options.config,
  };
  await writeFile(join(dir, "config.json"), JSON.stringify(config, undefined, 1));
  const weights = randomWeights(config, family, createRng(seed));
  options.edit?.(weights);
  await writeWeights(dir, weights, options.shards);
  return dir;
}

const COMMON = {
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: "silu",
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 1000,
  tie_word_embeddings: false,
  torch_dtype: "float32",
};

const FAMILY_CONFIG: Readonly<Record<TinyFamily, Readonly<Record<string, unknown>>>> = {
  llama: { model_type: "llama" },
  mistral: { model_type: "mistral", sliding_window: 7 },
  olmo2: { model_type: "olmo2" },
  olmo3: {
    model_type: "olmo3",
    rope_theta: 500_000,
    sliding_window: 7,
    layer_types: ["sliding_attention", "full_attention", "sliding_attention"],
  },
  qwen2: { model_type: "qwen2" },
  qwen3: { model_type: "qwen3", head_dim: 12 },
};

type Sizes = typeof COMMON & { readonly vocab_size: number; readonly head_dim?: number };

function randomWeights(config: Sizes, family: TinyFamily, rng: Rng): Map<string, TinyWeight> {
  const weights = new Map<string, TinyWeight>();
  const put = (name: string, shape: number[], value: () => number): void => {
    const count = shape.reduce((product, size) => product * size, 1);
    weights.set(name, { shape, values: Float32Array.from({ length: count }, value) });
  };
  const { hidden_size: dim, intermediate_size: inner } = config;
  const head = config.head_dim ?? dim / config.num_attention_heads;
  const queries = config.num_attention_heads * head;
  const keys = config.num_key_value_heads * head;
  const linear = (name: string, out: number, input: number): void =>
    put(`${name}.weight`, [out, input], () => rng.normal() / Math.sqrt(input));
  const norm = (name: string, size: number): void =>
    put(`${name}.weight`, [size], () => 1 + 0.2 * rng.normal());
  const isPostNorm = family === "olmo2" || family === "olmo3";

  put("model.embed_tokens.weight", [config.vocab_size, dim], () => rng.normal());
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const block = `model.layers.${layer}`;
    for (const [name, size] of [
      ["q", queries],
      ["k", keys],
      ["v", keys],
    ] as const) {
      linear(`${block}.self_attn.${name}_proj`, size, dim);
      if (family === "qwen2") {
        put(`${block}.self_attn.${name}_proj.bias`, [size], () => 0.3 * rng.normal());
      }
    }
    linear(`${block}.self_attn.o_proj`, dim, queries);
    linear(`${block}.mlp.gate_proj`, inner, dim);
    linear(`${block}.mlp.up_proj`, inner, dim);
    linear(`${block}.mlp.down_proj`, dim, inner);
    norm(`${block}.post_attention_layernorm`, dim);
    norm(`${block}.${isPostNorm ? "post_feedforward_layernorm" : "input_layernorm"}`, dim);
    if (isPostNorm || family === "qwen3") {
      norm(`${block}.self_attn.q_norm`, isPostNorm ? queries : head);
      norm(`${block}.self_attn.k_norm`, isPostNorm ? keys : head);
    }
  }
  norm("model.norm", dim);
  if (!config.tie_word_embeddings) linear("lm_head", config.vocab_size, dim);
  return weights;
}

async function writeWeights(
  dir: string,
  weights: ReadonlyMap<string, TinyWeight>,
  shards: number | undefined,
): Promise<void> {
  const tensors = [...weights].map(([name, { shape, values }]): SafetensorsTensor => ({
    name,
    dtype: "F32",
    shape,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  }));
  if (shards === undefined) return writeSafetensors(join(dir, "model.safetensors"), tensors);
  const fileOf = (i: number): string =>
    `model-${pad((i % shards) + 1)}-of-${pad(shards)}.safetensors`;
  for (let shard = 0; shard < shards; shard++) {
    const part = tensors.filter((_, i) => i % shards === shard);
    await writeSafetensors(join(dir, fileOf(shard)), part);
  }
  const map = Object.fromEntries(tensors.map(({ name }, i) => [name, fileOf(i)]));
  await writeFile(
    join(dir, "model.safetensors.index.json"),
    JSON.stringify({ metadata: {}, weight_map: map }),
  );
}

function pad(index: number): string {
  return String(index).padStart(5, "0");
}

async function countTokens(path: string): Promise<number> {
  const { model, added_tokens: added } = JSON.parse(await readFile(path, "utf8")) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  return 1 + Math.max(...Object.values(model.vocab), ...added.map(({ id }) => id));
}
