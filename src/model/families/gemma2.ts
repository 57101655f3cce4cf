import {
  GEMMA_CONFIG,
  GEMMA_LIKE,
  gemmaBlock,
  type GemmaConfig,
  gemmaModelConfig,
} from "../gemma-like.ts";
import { parseConfig, readLayerTypes } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { uniformRope } from "../uniform-attention.ts";

/** Where config.json is silent; null means that scores or logits are not capped. */
const DEFAULT_SCORE_CAP = 50;
const DEFAULT_LOGIT_CAP = 30;

/** Gemma 2: capped attention scores and logits; every second layer, the first one too, slides. */
export const gemma2: ModelFamily<GemmaConfig> = {
  ...GEMMA_LIKE,
  name: "gemma2",
  modelTypes: ["gemma2"],
  readConfig(config, where) {
    const raw = parseConfig(where, GEMMA_CONFIG, config);
    const types = readLayerTypes(
      where,
      raw.layer_types,
      raw.num_hidden_layers,
      (layer) => layer % 2 === 0,
    );
    const rope = uniformRope(where, raw);
    const { attn_logit_softcapping: scoreCap, final_logit_softcapping: logitCap } = raw;
    return {
      ...gemmaModelConfig(where, raw),
      attentionSoftcap: scoreCap === undefined ? DEFAULT_SCORE_CAP : (scoreCap ?? undefined),
      logitSoftcap: logitCap === undefined ? DEFAULT_LOGIT_CAP : (logitCap ?? undefined),
      attention: types.map((type) => ({
        window: type === "sliding" ? raw.sliding_window : undefined,
        rope,
      })),
    };
  },
  block: (x, layer, model, context) => gemmaBlock(x, layer, model, context, "none"),
};
