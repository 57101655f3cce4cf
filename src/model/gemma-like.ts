/** @file What Gemma 2 and 3 have in common (Gemma Team 2024, arXiv 2408.00118). */
import { z } from "zod";

import { parameter, scalar, type Tensor } from "../tensor/graph.ts";
import { add, multiply } from "../tensor/ops/arithmetic.ts";
import { rmsNorm } from "../tensor/ops/rms-norm.ts";
import { tanh, tanhGelu } from "../tensor/ops/unary.ts";
import type { AttentionContext } from "./attention-context.ts";
import { gatedMlp, norm, type QueryKeyNorm, selfAttention } from "./layers.ts";
import { LLAMA_LIKE } from "./llama-like.ts";
import {
  COMMON_CONFIG,
  commonModelConfig,
  type CommonConfig,
  type ModelConfig,
  NEUTRAL_CONFIG,
  omitKeys,
} from "./model-config.ts";
import type { LoadedModel, ModelParts, Norm } from "./model-family.ts";

export interface GemmaConfig extends ModelConfig {
  /** Logits z become c·tanh(z/c); undefined: they stay as they are. */
  readonly logitSoftcap: number | undefined;
}

const positive = z.number().positive();

/** Keys of both; where a default of theirs differs, the family says so. */
export const GEMMA_CONFIG = {
  ...omitKeys(NEUTRAL_CONFIG, ["attn_logit_softcapping", "final_logit_softcapping"]),
  ...COMMON_CONFIG,
  // Releases before these families wrote the activation here; it is read from the next key.
  hidden_act: z.string().nullish(),
  hidden_activation: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
  head_dim: z.number().int().positive().default(256),
  query_pre_attn_scalar: positive.default(256),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  sliding_window: z.number().int().positive().default(4096),
  layer_types: z.array(z.string()).nullish(),
  attn_logit_softcapping: positive.nullish(),
  final_logit_softcapping: positive.nullish(),
  use_bidirectional_attention: z.literal(false).nullish(),
  cache_implementation: z.string().nullish(),
} as const;

/** The part of the config that both read alike. */
export function gemmaModelConfig(
  where: string,
  raw: CommonConfig & { readonly query_pre_attn_scalar: number; readonly attention_bias: boolean },
): Omit<ModelConfig, "attention"> {
  return {
    ...commonModelConfig(where, raw),
    attentionScale: raw.query_pre_attn_scalar ** -0.5,
    hasQkvBias: raw.attention_bias,
    hasOutputBias: raw.attention_bias,
  };
}

/** x/√(mean(x²) + ε)·(1 + w). */
const GEMMA_NORM: Norm = {
  apply(x, name, { epsilon }) {
    const weight = parameter(`${name}.weight`, [x.shape.at(-1) as number]); // widths have no names
    return rmsNorm(x, add(weight, scalar(1)), epsilon);
  },
  initial: 0,
};

/** Scaled embedding, norms of 1 + w, GELU and capped logits; the block is the family's. */
export const GEMMA_LIKE: Omit<ModelParts<GemmaConfig>, "block"> = {
  ...LLAMA_LIKE,
  embed: (ids, config) => multiply(LLAMA_LIKE.embed(ids, config), scalar(Math.sqrt(config.dim))),
  norm: GEMMA_NORM,
  activation: tanhGelu,
  head(x, model, options) {
    const logits = LLAMA_LIKE.head(x, model, options);
    const { logitSoftcap: cap } = model.config;
    if (cap === undefined) return logits;
    return multiply(tanh(multiply(logits, scalar(1 / cap))), scalar(cap));
  },
};

/** Norm, attention, norm, add; norm, MLP, norm, add. */
export function gemmaBlock(
  x: Tensor,
  layer: number,
  model: LoadedModel,
  context: AttentionContext,
  queryKeyNorm: QueryKeyNorm,
): Tensor {
  const prefix = `model.layers.${layer}`;
  const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
  const attention = selfAttention(
    normed(x, "input_layernorm"),
    `${prefix}.self_attn`,
    model,
    context,
    queryKeyNorm,
  );
  const attended = add(x, normed(attention, "post_attention_layernorm"));
  const mlp = gatedMlp(normed(attended, "pre_feedforward_layernorm"), `${prefix}.mlp`, model);
  return add(attended, normed(mlp, "post_feedforward_layernorm"));
}
