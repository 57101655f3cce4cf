import { z } from "zod";

import { parameter, scalar, type Tensor } from "../../tensor/graph.ts";
import { add, multiply, subtract } from "../../tensor/ops/arithmetic.ts";
import { sumTo } from "../../tensor/ops/broadcast.ts";
import { gather } from "../../tensor/ops/gather.ts";
import { reshape } from "../../tensor/ops/reshape.ts";
import { split } from "../../tensor/ops/slice.ts";
import { gelu, tanhGelu } from "../../tensor/ops/unary.ts";
import { UnsupportedError } from "../../util/errors.ts";
import type { AttentionContext } from "../attention-context.ts";
import { attend, linear, norm, RMS_NORM } from "../layers.ts";
import { LLAMA_LIKE, normedLogits } from "../llama-like.ts";
import {
  COMMON_CONFIG,
  commonModelConfig,
  type ModelConfig,
  NEUTRAL_CONFIG,
  omitKeys,
  parseConfig,
} from "../model-config.ts";
import type { LoadedModel, ModelFamily, Norm, WeightNames } from "../model-family.ts";
import { partialRope } from "../partial-rope.ts";

interface GptNeoxConfig extends ModelConfig {
  /** Attention and MLP both read the stream before the block. */
  readonly isParallel: boolean;
  readonly activation: (x: Tensor) => Tensor;
}

const ACTIVATIONS = {
  gelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
} as const;

const SHAPE = {
  ...omitKeys(NEUTRAL_CONFIG, ["partial_rotary_factor"]),
  ...omitKeys(COMMON_CONFIG, ["rms_norm_eps", "num_key_value_heads", "head_dim"]),
  hidden_act: z.enum(["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"]).default("gelu"),
  layer_norm_eps: z.number().positive().default(1e-5),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  rotary_pct: z.number().positive().max(1).nullish(),
  rotary_emb_base: z.number().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
};

/** Where config.json is silent: a quarter of each head turns. */
const DEFAULT_ROTARY_SHARE = 0.25;
const DEFAULT_THETA = 10_000;

const NAMES: WeightNames = {
  base: "gpt_neox.",
  embedding: "gpt_neox.embed_in.weight",
  outputMatrix: "embed_out.weight",
  // The module's name in transformers 5, which writes the old one into files.
  outputMatrixAlias: "lm_head.weight",
  // Masks that transformers stored before release 4.30.
  unused: /\.attention\.(?:bias|masked_bias)$/,
};

/** Mean and variance over the last axis, `<name>.weight` and `<name>.bias` (Ba et al. 2016): the RMSNorm of what is centred, shifted. */
const LAYER_NORM: Norm = {
  apply(x, name, config) {
    const dim = x.shape.at(-1) as number; // widths have no names
    const mean = multiply(sumTo(x, [...x.shape.slice(0, -1), 1]), scalar(1 / dim));
    const scaled = RMS_NORM.apply(subtract(x, mean), name, config);
    return add(scaled, parameter(`${name}.bias`, [dim]));
  },
  initial: 1,
};

/** GPT-NeoX 20B and Pythia (Black et al. 2022; Biderman et al. 2023). */
export const gptNeox: ModelFamily<GptNeoxConfig> = {
  ...LLAMA_LIKE,
  name: "gpt_neox",
  modelTypes: ["gpt_neox"],
  names: NAMES,
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    const common = commonModelConfig(where, { ...raw, rms_norm_eps: raw.layer_norm_eps });
    const theta = raw.rotary_emb_base ?? DEFAULT_THETA;
    const share = raw.rotary_pct ?? DEFAULT_ROTARY_SHARE;
    // Newer releases write these beside the old names and do not read them.
    expectSame(where, "rope_theta", raw.rope_theta, theta);
    expectSame(where, "partial_rotary_factor", raw.partial_rotary_factor, share);
    const { rope, rotaryDim } = partialRope(where, raw, {
      headDim: common.headDim,
      theta,
      share,
    });
    return {
      ...common,
      rotaryDim,
      attention: Array.from({ length: common.layerCount }, () => ({ window: undefined, rope })),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      hasMlpBias: true,
      mlpMatrices: 2,
      isParallel: raw.use_parallel_residual,
      activation: ACTIVATIONS[raw.hidden_act],
    };
  },
  embed: (ids, { vocabSize, dim }) => gather(parameter(NAMES.embedding, [vocabSize, dim]), ids),
  block(x, layer, model, context) {
    const prefix = `gpt_neox.layers.${layer}`;
    const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
    const mlp = (y: Tensor): Tensor =>
      plainMlp(normed(y, "post_attention_layernorm"), `${prefix}.mlp`, model);
    const attention = fusedAttention(
      normed(x, "input_layernorm"),
      `${prefix}.attention`,
      model,
      context,
    );
    const attended = add(x, attention);
    return add(attended, mlp(model.config.isParallel ? x : attended));
  },
  norm: LAYER_NORM,
  head: (x, model, options) => normedLogits(x, "gpt_neox.final_layer_norm", model, options),
};

function expectSame(
  where: string,
  key: string,
  given: number | null | undefined,
  expected: number,
): void {
  if (given === null || given === undefined || given === expected) return;
  throw new UnsupportedError(
    `${where}: "${key}" ${given}: expected ${expected}, which gpt_neox takes from its own keys rotary_emb_base and rotary_pct`,
    { hint: "Write the value into rope_parameters, where transformers reads it." },
  );
}

/** Attention whose one projection gives, head by head, the head's query, key and value. */
function fusedAttention(
  x: Tensor,
  prefix: string,
  model: LoadedModel<GptNeoxConfig>,
  context: AttentionContext,
): Tensor {
  const { dim, heads, headDim, hasQkvBias, hasOutputBias } = model.config;
  const fused = linear(x, `${prefix}.query_key_value`, {
    inDim: dim,
    outDim: 3 * dim,
    hasBias: hasQkvBias,
  });
  const [b, t] = x.shape;
  const byHead = reshape(fused, [b!, t!, heads, 3 * headDim]); // activations always have three axes
  const [query, key, value] = split(byHead, [headDim, headDim, headDim]).map((each) =>
    reshape(each, x.shape),
  ) as [Tensor, Tensor, Tensor]; // as many as sizes
  return linear(attend(query, { key, value }, model, context), `${prefix}.dense`, {
    inDim: dim,
    outDim: dim,
    hasBias: hasOutputBias,
  });
}

function plainMlp(x: Tensor, prefix: string, { config }: LoadedModel<GptNeoxConfig>): Tensor {
  const { dim, mlpDim, activation } = config;
  const inner = linear(x, `${prefix}.dense_h_to_4h`, {
    inDim: dim,
    outDim: mlpDim,
    hasBias: true,
  });
  return linear(activation(inner), `${prefix}.dense_4h_to_h`, {
    inDim: mlpDim,
    outDim: dim,
    hasBias: true,
  });
}
