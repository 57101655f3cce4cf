/**
 * @file The graph that embeds: token ids in, pooled residual streams of chosen layers out.
 *
 * Layer ℓ is the residual stream after ℓ blocks, ℓ = 0 the embedding output, ℓ = n the stream before the final norm
 * (transformers' `hidden_states[ℓ]` for ℓ < n). Blocks above the highest layer asked for are not built, nor are logits.
 *
 * A row packs one prompt with any number of responses behind it. `segments` says what a token belongs to (PROMPT_SEGMENT;
 * 1, 2, … for the responses; PADDING_SEGMENT) and `positions` restart after the prompt for each response, so that every response
 * sees the prompt and itself, exactly as if it stood alone.
 *
 * Shapes: B rows, T tokens, R pooled vectors a row, D residual width, d head size.
 */
import { input, parameter, type Tensor } from "../tensor/graph.ts";
import { cast } from "../tensor/ops/cast.ts";
import { gather } from "../tensor/ops/gather.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { attentionBias } from "./attention-bias.ts";
import { type AttentionContext, rotaryAngles } from "./layers.ts";
import type { LayerAttention, ModelConfig } from "./model-config.ts";
import type { ModelFamily } from "./model-family.ts";
import { type RopeScaling, rotaryAttentionFactor } from "./rope.ts";

/** Name of the embedding table [V, D] in every supported family. */
const EMBEDDING = "model.embed_tokens.weight";

/** A graph with inputs `ids`, `positions`, `segments` [B, T] int32, `pool` [B, R, T] and one `frequencies.<i>` [B, d/2] a rope. */
export interface PooledActivationsGraph {
  /** `layer.<ℓ>` [B, R, D]: pool · residual stream. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The rope settings whose inverse frequencies each run must give, by input name. */
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

/** Builds the graph for `layers`, each in [0, n]. */
export function pooledActivations(
  family: ModelFamily,
  config: ModelConfig,
  layers: readonly number[],
): PooledActivationsGraph {
  const ids = input("ids", "int32", ["B", "T"]);
  const pool = input("pool", "float32", ["B", "R", "T"]);
  const top = Math.max(...layers);
  const { contextOf, frequencyInputs } = attentionContexts(config, config.attention.slice(0, top));

  const outputs: Record<string, Tensor> = {};
  const keep = (layer: number, x: Tensor): void => {
    if (layers.includes(layer)) outputs[`layer.${layer}`] = matMul(pool, x);
  };
  let x = gather(parameter(EMBEDDING, [config.vocabSize, config.dim]), ids); // [B, T, D]
  keep(0, x);
  for (const [layer, attention] of config.attention.slice(0, top).entries()) {
    x = family.block(x, layer, config, contextOf(attention));
    keep(layer + 1, x);
  }
  return { outputs, frequencyInputs };
}

/** Masks and angles, made once for each window and rope that the layers use. */
function attentionContexts(
  config: ModelConfig,
  used: readonly LayerAttention[],
): {
  contextOf: (attention: LayerAttention) => AttentionContext;
  frequencyInputs: ReadonlyMap<string, RopeScaling>;
} {
  const positions = input("positions", "int32", ["B", "T"]);
  const tokens = { positions, segments: input("segments", "int32", ["B", "T"]) };
  const ropes = [...new Set(used.map((each) => each.rope))];
  const windows = [...new Set(used.map((each) => each.window))];
  const inputName = (i: number): string => `frequencies.${i}`;

  const floatPositions = cast(positions, "float32");
  const angles = ropes.map((rope, i) =>
    rotaryAngles(
      floatPositions,
      input(inputName(i), "float32", ["B", config.headDim / 2]),
      rotaryAttentionFactor(rope),
    ),
  );
  const biases = windows.map((window) => attentionBias(tokens, tokens, window));
  return {
    contextOf: ({ rope, window }) => ({
      angles: angles[ropes.indexOf(rope)]!, // every used rope and window has its entry
      bias: biases[windows.indexOf(window)]!,
    }),
    frequencyInputs: new Map(ropes.map((rope, i) => [inputName(i), rope])),
  };
}
