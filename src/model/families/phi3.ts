import { z } from "zod";

import type { Tensor } from "../../tensor/graph.ts";
import { add, multiply } from "../../tensor/ops/arithmetic.ts";
import { split } from "../../tensor/ops/slice.ts";
import { UnsupportedError } from "../../util/errors.ts";
import type { AttentionContext } from "../attention-context.ts";
import { attend, linear, norm } from "../layers.ts";
import { LLAMA_LIKE } from "../llama-like.ts";
import {
  COMMON_CONFIG,
  commonModelConfig,
  type CommonConfig,
  NEUTRAL_CONFIG,
  omitKeys,
  parseConfig,
} from "../model-config.ts";
import type { LoadedModel, ModelFamily } from "../model-family.ts";
import { partialRope } from "../partial-rope.ts";

const SHAPE = {
  ...omitKeys(NEUTRAL_CONFIG, ["partial_rotary_factor"]),
  ...COMMON_CONFIG,
  partial_rotary_factor: z.number().positive().max(1).default(1),
  original_max_position_embeddings: z.number().int().positive().default(4096),
  sliding_window: z.number().int().positive().nullish(),
  // Some exporters write it; the projections have none.
  attention_bias: z.literal(false).nullish(),
  mlp_bias: z.literal(false).nullish(),
};

const DEFAULT_THETA = 10_000;

/** Phi-3, 3.5 and 4: Llama's block with fused projections; in the long-context models two lists of rope factors. */
export const phi3: ModelFamily = {
  ...LLAMA_LIKE,
  name: "phi3",
  modelTypes: ["phi3"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    const common = commonModelConfig(where, raw);
    const setting = ropeSetting(raw);
    const { rope, rotaryDim } = partialRope(
      where,
      { ...raw, rope_scaling: setting },
      {
        headDim: common.headDim,
        theta: raw.rope_theta ?? DEFAULT_THETA,
        share: raw.partial_rotary_factor,
      },
    );
    if (rope.kind !== "default" && rope.kind !== "longrope") {
      throw new UnsupportedError(
        `${where}: rope type "${rope.kind}": expected default or longrope, which are all that phi3 has`,
      );
    }
    const window = raw.sliding_window ?? undefined;
    return {
      ...common,
      rotaryDim,
      attention: Array.from({ length: common.layerCount }, () => ({ window, rope })),
    };
  },
  block(x, layer, model, context) {
    const prefix = `model.layers.${layer}`;
    const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
    const attention = fusedAttention(
      normed(x, "input_layernorm"),
      `${prefix}.self_attn`,
      model,
      context,
    );
    const attended = add(x, attention);
    return add(
      attended,
      fusedMlp(normed(attended, "post_attention_layernorm"), `${prefix}.mlp`, model),
    );
  },
};

/** "su" and "yarn" are names that longrope had before. */
function ropeSetting(raw: CommonConfig): Readonly<Record<string, unknown>> {
  const {
    type,
    rope_type: named = type,
    ...rest
  } = {
    ...(raw.rope_scaling ?? raw.rope_parameters),
  };
  const isLong = named === "longrope" || named === "su" || named === "yarn";
  if (isLong) return { ...rest, rope_type: "longrope" };
  return named === undefined ? rest : { ...rest, rope_type: named };
}

/** Attention whose one projection gives all queries, then all keys, then all values. */
function fusedAttention(
  x: Tensor,
  prefix: string,
  model: LoadedModel,
  context: AttentionContext,
): Tensor {
  const { dim, heads, keyHeads, headDim } = model.config;
  const sizes = [heads * headDim, keyHeads * headDim, keyHeads * headDim];
  const fused = linear(x, `${prefix}.qkv_proj`, {
    inDim: dim,
    outDim: (heads + 2 * keyHeads) * headDim,
    hasBias: false,
  });
  const [query, key, value] = split(fused, sizes) as [Tensor, Tensor, Tensor]; // as many as sizes
  return linear(attend(query, { key, value }, model, context), `${prefix}.o_proj`, {
    inDim: heads * headDim,
    outDim: dim,
    hasBias: false,
  });
}

/** A gated MLP whose one projection gives gate, then up. */
function fusedMlp(x: Tensor, prefix: string, { family, config }: LoadedModel): Tensor {
  const { dim, mlpDim } = config;
  const fused = linear(x, `${prefix}.gate_up_proj`, {
    inDim: dim,
    outDim: 2 * mlpDim,
    hasBias: false,
  });
  const [gate, up] = split(fused, [mlpDim, mlpDim]) as [Tensor, Tensor]; // as many as sizes
  return linear(multiply(family.activation(gate), up), `${prefix}.down_proj`, {
    inDim: mlpDim,
    outDim: dim,
    hasBias: false,
  });
}
