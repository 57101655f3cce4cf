/**
 * @file The graph of one sampling step: one new token a row over a cache of keys and values that the caller owns.
 *
 * The cache is an input, which the runtime reads in place; of it the graph returns only the new rows, which the caller appends.
 *
 * Shapes: B rows, S cached tokens (the capacity; unused ones hidden by the bias), D residual width, H heads, K key heads, d head size,
 * V vocabulary, n blocks.
 */
import { input, type Tensor } from "../tensor/graph.ts";
import { cachedAttention } from "../tensor/ops/cached-attention.ts";
import { concat } from "../tensor/ops/concat.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { likeliestToken, tokenProbabilities } from "../tensor/ops/token-choice.ts";
import type { KeysAndValues } from "./attention-context.ts";
import { attentionAttributes } from "./layers.ts";
import type { ModelConfig } from "./model-config.ts";
import type { LoadedModel } from "./model-family.ts";
import { type ActivationsGraph, embedTokens, ropeAngles } from "./pooled-activations.ts";

/**
 * What a step gives for each row beside the new keys and values: `logits` [B, V]; `probabilities` [B, V] at the input
 * `inverseTemperature` [1]; `token` [B] int32, the likeliest.
 */
export type StepOutput = "logits" | "probabilities" | "token";

/** Changes to the model while it samples; each gives the graph back with its own ops (and inputs) added. */
export interface DecodeHooks {
  /** The residual stream [B, 1, D] at layer ℓ (after ℓ blocks), at every token that a next one is sampled from. */
  readonly residual?: ((x: Tensor, layer: number) => Tensor) | undefined;
  /** The logits [B, V]. */
  readonly logits?: ((logits: Tensor) => Tensor) | undefined;
}

/** Names of a block's cached keys and values, inputs [B, K, 1, S, d] of the step graph. */
export const cachedKeyName = (block: number): string => `cache.key.${block}`;
export const cachedValueName = (block: number): string => `cache.value.${block}`;
/** Name of the bias [B, 1, 1, 1, S] for the i-th distinct window of the config. */
export const cacheBiasName = (window: number): string => `bias.${window}`;

/** The distinct windows of a config's layers, in order; the i-th has the bias input `bias.<i>`. */
export function cacheWindows(config: ModelConfig): readonly (number | undefined)[] {
  return [...new Set(config.attention.map((each) => each.window))];
}

/**
 * Builds the step graph. Inputs: `ids` and `positions` [B, T = 1] int32, the caches, biases and frequencies. Outputs: the one asked
 * for, and `rows` [2nB, 1, K·d]: block by block the new keys, rotated, of all rows, then their values.
 */
export function decodeStep(
  model: LoadedModel,
  output: StepOutput,
  hooks: DecodeHooks = {},
): ActivationsGraph {
  const { family, config } = model;
  const angles = ropeAngles(config, config.layerCount, input("positions", "int32", ["B", 1]));
  const newRows: Tensor[] = [];
  const residual = hooks.residual ?? ((x: Tensor) => x);
  let x = residual(embedTokens(model, 1), 0);
  for (let block = 0; block < config.layerCount; block++) {
    const attend = attendToCache(config, block);
    x = family.block(x, block, model, {
      angles: angles.of(block),
      attend: (query, own) => {
        newRows.push(own.key, own.value);
        return attend(query, own);
      },
    });
    x = residual(x, block + 1);
  }
  const last = family.head(reshape(x, ["B", config.dim]), model);
  const logits = hooks.logits?.(last) ?? last;
  return {
    outputs: { [output]: stepOutput(logits, output), rows: concat(newRows, 0, "N") },
    frequencyInputs: angles.frequencyInputs,
  };
}

function stepOutput(logits: Tensor, output: StepOutput): Tensor {
  switch (output) {
    case "logits":
      return logits;
    case "probabilities":
      return tokenProbabilities(logits, input("inverseTemperature", "float32", [1]));
    case "token":
      return likeliestToken(logits);
  }
}

function attendToCache(
  config: ModelConfig,
  block: number,
): (query: Tensor, own: KeysAndValues) => Tensor {
  const { keyHeads, headDim, attention } = config;
  const window = cacheWindows(config).indexOf(attention[block]!.window); // one entry a block
  const cached = (name: string): Tensor => input(name, "float32", ["B", keyHeads, 1, "S", headDim]);
  const cache = {
    key: cached(cachedKeyName(block)),
    value: cached(cachedValueName(block)),
    bias: input(cacheBiasName(window), "float32", ["B", 1, 1, 1, "S"]),
  };
  return (query, own) => cachedAttention(query, own, cache, attentionAttributes(config));
}
