/** @file What a checkpoint's config.json says, in one form for every family. */
import { z } from "zod";

import { ConfigError, UnsupportedError } from "../util/errors.ts";
import type { RopeScaling } from "./rope.ts";

/** Which keys a layer's attention sees, and how it turns positions into angles. */
export interface LayerAttention {
  /** A query at position i sees keys at positions > i − window; undefined: all before it. */
  readonly window: number | undefined;
  /** undefined: positions do not enter. */
  readonly rope: RopeScaling | undefined;
}

/** The shape of a decoder-only transformer. */
export interface ModelConfig {
  readonly vocabSize: number;
  /** D, width of the residual stream. */
  readonly dim: number;
  readonly layerCount: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headDim: number;
  /** r, how many numbers of each head, the first ones, rotary embedding turns. */
  readonly rotaryDim: number;
  /** What attention's scores are multiplied by. */
  readonly attentionScale: number;
  /** Then, before the mask, scores s become c·tanh(s/c). Default: they stay as they are. */
  readonly attentionSoftcap?: number | undefined;
  readonly mlpDim: number;
  /** Matrices [D, F] of the MLP that a token meets: 3 for a gated one. */
  readonly mlpMatrices: number;
  /** ε of the norms. */
  readonly epsilon: number;
  readonly maxPositions: number;
  /** The output matrix is the embedding table. */
  readonly isTied: boolean;
  /** Biases on the query, key and value projections. */
  readonly hasQkvBias: boolean;
  /** A bias on the attention's output projection. */
  readonly hasOutputBias: boolean;
  readonly hasMlpBias: boolean;
  /** One entry a layer. */
  readonly attention: readonly LayerAttention[];
}

const positive = z.number().int().positive();

/** Keys that every supported family has. */
export const COMMON_CONFIG = {
  model_type: z.string(),
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  hidden_act: z.literal("silu").default("silu"),
  rms_norm_eps: z.number().positive(),
  max_position_embeddings: positive,
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  original_max_position_embeddings: positive.nullish(),
} as const;

/** What they hold; the name of the activation is the family's own affair. */
export type CommonConfig = Omit<z.infer<z.ZodObject<typeof COMMON_CONFIG>>, "hidden_act">;

/** Keys that say how the model was made or how to call it, and change no activation. */
const INERT_KEYS = new Set([
  "add_cross_attention",
  "architectures",
  "auto_map",
  "chunk_size_feed_forward",
  "dtype",
  "finetuning_task",
  "id2label",
  "initializer_range",
  "is_decoder",
  "is_encoder_decoder",
  "is_llama_config",
  "keys_to_ignore_at_inference",
  "label2id",
  "neftune_noise_alpha",
  "num_labels",
  "output_attentions",
  "output_hidden_states",
  "pretraining_tp",
  "problem_type",
  "return_dict",
  "task_specific_params",
  "tokenizer_class",
  "torch_dtype",
  "transformers.js_config",
  "transformers_version",
  "unsloth_fixed",
  "unsloth_version",
  "use_cache",
]);

/** How to sample, which releases before generation_config.json wrote here; commands take settings of their own. */
const SAMPLING_KEYS = new Set([
  "bad_words_ids",
  "begin_suppress_tokens",
  "diversity_penalty",
  "do_sample",
  "early_stopping",
  "encoder_no_repeat_ngram_size",
  "exponential_decay_length_penalty",
  "length_penalty",
  "max_length",
  "max_new_tokens",
  "min_length",
  "no_repeat_ngram_size",
  "num_beam_groups",
  "num_beams",
  "num_return_sequences",
  "output_scores",
  "remove_invalid_values",
  "repetition_penalty",
  "return_dict_in_generate",
  "suppress_tokens",
  "temperature",
  "top_k",
  "top_p",
  "typical_p",
]);

/** Keys whose value says that there is nothing: null, or no heads taken out. */
const isNothing = (key: string, value: unknown): boolean =>
  value === null || (key === "pruned_heads" && JSON.stringify(value) === "{}");

/** Besides: private notes of the exporter, which ids are special, and dropout, which is off. */
const isInert = (key: string): boolean =>
  INERT_KEYS.has(key) ||
  SAMPLING_KEYS.has(key) ||
  key.startsWith("_") ||
  /_token_ids?$|_dropout$|_pdrop$/.test(key);

/** Keys that are harmless at the one value named, and change the result at any other. */
export const NEUTRAL_CONFIG = {
  partial_rotary_factor: z.literal(1).nullish(),
  rope_interleaved: z.literal(false).nullish(),
  clip_qkv: z.null().optional(),
  attn_logit_softcapping: z.null().optional(),
  final_logit_softcapping: z.null().optional(),
  // Phi-4-mini writes them; its model reads neither.
  full_attn_mod: z.literal(1).nullish(),
  interpolate_factor: z.literal(1).nullish(),
  lm_head_bias: z.literal(false).nullish(),
} as const;

/** A shape without some of its keys, for a family that spells them otherwise or lacks them. */
export function omitKeys<S extends object, K extends keyof S>(
  shape: S,
  keys: readonly K[],
): Omit<S, K> {
  const omitted = new Set<PropertyKey>(keys);
  // What is left of a shape once its keys are gone.
  return Object.fromEntries(Object.entries(shape).filter(([key]) => !omitted.has(key))) as Omit<
    S,
    K
  >;
}

/**
 * Reads a config by a strict schema. A key that the family does not read is an error naming it: passing over one that
 * changes the result would give activations that are wrong in silence.
 */
export function parseConfig<S extends z.ZodRawShape>(
  where: string,
  shape: S,
  config: unknown,
): z.infer<z.ZodObject<S>> {
  const active =
    typeof config === "object" && config !== null
      ? Object.fromEntries(
          Object.entries(config).filter(
            ([key, value]) => key in shape || !(isInert(key) || isNothing(key, value)),
          ),
        )
      : config;
  const result = z.strictObject(shape).safeParse(active);
  if (result.success) return result.data;
  const unread = result.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys : [],
  );
  if (unread.length > 0) {
    throw new UnsupportedError(
      `${where}: this family's graph does not read ${unread.map((key) => `"${key}"`).join(", ")}, and each might change the activations`,
      {
        hint: "If a key has no effect on the forward pass, remove it from config.json; otherwise the model needs support for it.",
      },
    );
  }
  const [issue] = result.error.issues;
  const key = `${where}: "${issue?.path.join(".")}"`;
  if (issue?.code === "invalid_type" && issue.expected === "null") {
    throw new ConfigError(
      `${key}: this family's graph does not read it, and it might change the activations`,
      { hint: "Null or no key is read; otherwise the model needs support for it." },
    );
  }
  throw new ConfigError(`${key}: ${issue?.message}`, {
    hint: "Compare the file with the original checkpoint.",
  });
}

/** The part of ModelConfig that is read the same way in every family; a family says where it differs, as by a bias or another scale. */
export function commonModelConfig(
  where: string,
  raw: CommonConfig,
): Omit<ModelConfig, "attention"> {
  const heads = raw.num_attention_heads;
  const keyHeads = raw.num_key_value_heads ?? heads;
  const headDim = raw.head_dim ?? raw.hidden_size / heads;
  if (heads % keyHeads !== 0) {
    throw new ConfigError(
      `${where}: "num_attention_heads" ${heads} is not a multiple of "num_key_value_heads" ${keyHeads}`,
    );
  }
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw new ConfigError(`${where}: expected an even head size, got ${headDim}`);
  }
  return {
    vocabSize: raw.vocab_size,
    dim: raw.hidden_size,
    layerCount: raw.num_hidden_layers,
    heads,
    keyHeads,
    headDim,
    rotaryDim: headDim,
    attentionScale: 1 / Math.sqrt(headDim),
    mlpDim: raw.intermediate_size,
    mlpMatrices: 3,
    epsilon: raw.rms_norm_eps,
    maxPositions: raw.max_position_embeddings,
    isTied: raw.tie_word_embeddings,
    hasQkvBias: false,
    hasOutputBias: false,
    hasMlpBias: false,
  };
}

/** One entry a layer from `layer_types`, each "full_attention" or "sliding_attention". */
export function readLayerTypes(
  where: string,
  layerTypes: readonly string[] | null | undefined,
  layerCount: number,
  otherwise: (layer: number) => boolean,
): readonly ("full" | "sliding")[] {
  if (layerTypes === null || layerTypes === undefined) {
    return Array.from({ length: layerCount }, (_, layer) =>
      otherwise(layer) ? "sliding" : "full",
    );
  }
  if (layerTypes.length !== layerCount) {
    throw new ConfigError(
      `${where}: "layer_types" has ${layerTypes.length} entries, "num_hidden_layers" is ${layerCount}`,
    );
  }
  return layerTypes.map((type, layer) => {
    if (type === "full_attention") return "full";
    if (type === "sliding_attention") return "sliding";
    throw new UnsupportedError(
      `${where}: "layer_types.${layer}": expected "full_attention" or "sliding_attention", got "${type}"`,
    );
  });
}
