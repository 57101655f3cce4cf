/**
 * @file The graphs that embed: token ids in, pooled residual streams of chosen layers out.
 *
 * Layer ℓ is the residual stream after ℓ blocks, ℓ = 0 the embedding output, ℓ = n the stream before the final norm
 * (transformers' `hidden_states[ℓ]` for ℓ < n). Blocks above the highest layer asked for are not built, nor are logits.
 *
 * A row packs one prompt with any number of responses behind it. `segments` says what a token belongs to (PROMPT_SEGMENT;
 * 1, 2, … for the responses; PADDING_SEGMENT) and `positions` restart after the prompt for each response, so that every response
 * sees the prompt and itself, exactly as if it stood alone.
 *
 * Where all prompts begin with the same tokens (a system turn), a second graph gives the keys and values of that prefix once, and
 * the rows hold only what follows it.
 *
 * Shapes: B rows, T tokens, P prefix tokens, S = P + T keys, R pooled vectors a row, D residual width, K key heads, d head size, r rotated numbers of a head.
 */
import { input, type Tensor } from "../tensor/graph.ts";
import { cast } from "../tensor/ops/cast.ts";
import { concat } from "../tensor/ops/concat.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { repeatRow } from "../tensor/ops/repeat-row.ts";
import type { Dim } from "../tensor/shape.ts";
import { attentionBias, type TokenPlaces } from "./attention-bias.ts";
import type { KeysAndValues, RotaryAngles, SequenceContext } from "./attention-context.ts";
import { rotaryAngles } from "./layers.ts";
import type { LayerAttention, ModelConfig } from "./model-config.ts";
import type { LoadedModel } from "./model-family.ts";
import { type RopeScaling, rotaryAttentionFactor } from "./rope.ts";

/** A graph with inputs `ids`, `positions`, `segments` [B, T] int32 and one `frequencies.<i>` [B, r/2] a rope. */
export interface ActivationsGraph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The rope settings whose inverse frequencies each run must give, by input name. */
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

/** Names of a block's keys and values, as outputs of prefixKeys and inputs of pooledActivations; or as outputs of promptKeys. */
export const keyName = (block: number, of: "prefix" | "prompt" = "prefix"): string =>
  `${of}.key.${block}`;
export const valueName = (block: number, of: "prefix" | "prompt" = "prefix"): string =>
  `${of}.value.${block}`;

/**
 * Builds the graph for `layers`, each in [0, n]. Outputs `layer.<ℓ>` [B, R, D] = `pool` [B, R, T] · residual stream. With a prefix it
 * takes in addition `prefix.key.<i>` and `prefix.value.<i>` [1, P, K·d] of every block, and `keyPositions` and `keySegments` [B, S].
 */
export function pooledActivations(
  model: LoadedModel,
  layers: readonly number[],
  { hasPrefix = false, pieces }: Pick<StreamOptions, "hasPrefix" | "pieces"> = {},
): ActivationsGraph {
  const pool = input("pool", "float32", ["B", "R", "T"]);
  const outputs: Record<string, Tensor> = {};
  const { frequencyInputs } = residualStream(model, {
    top: Math.max(...layers),
    hasPrefix,
    pieces,
    onLayer: (x, layer) => {
      if (layers.includes(layer)) outputs[`layer.${layer}`] = matMul(pool, x);
    },
  });
  return { outputs, frequencyInputs };
}

export interface StreamOptions {
  /** How many blocks; default: all. */
  readonly top?: number | undefined;
  /** Default false. */
  readonly hasPrefix?: boolean | undefined;
  /** Of the queries, see AttentionAttributes; then T must be that many at least. Default: 1. */
  readonly pieces?: number | undefined;
  /** What the residual stream at a layer becomes before anything reads it. Default: it stays. */
  readonly residual?: ((x: Tensor, layer: number) => Tensor) | undefined;
  /** Sees the residual stream at each layer from 0 to `top`. */
  readonly onLayer?: ((x: Tensor, layer: number) => void) | undefined;
  /** Sees the keys and values of each block's own tokens. */
  readonly onKeys?: ((own: KeysAndValues, block: number) => void) | undefined;
}

/** The residual stream after the last block, [B, T, D], before the final norm; inputs as pooledActivations but for the pool. */
export function residualStream(
  model: LoadedModel,
  {
    top = model.config.layerCount,
    hasPrefix = false,
    pieces,
    residual = (x) => x,
    onLayer,
    onKeys,
  }: StreamOptions = {},
): { readonly stream: Tensor; readonly frequencyInputs: ReadonlyMap<string, RopeScaling> } {
  const { family, config } = model;
  const places = tokenPlaces("positions", "segments", "T");
  const keys = hasPrefix ? tokenPlaces("keyPositions", "keySegments", "S") : places;
  const contexts = attentionContexts(config, top, places, keys);
  let stream = residual(embedTokens(model), 0);
  onLayer?.(stream, 0);
  for (let block = 0; block < top; block++) {
    const after = family.block(stream, block, model, {
      ...contexts.of(block),
      pieces,
      extendKeys: (own) => {
        onKeys?.(own, block);
        return hasPrefix ? behindPrefix(config, block, own) : own;
      },
    });
    stream = residual(after, block + 1);
    onLayer?.(stream, block + 1);
  }
  return { stream, frequencyInputs: contexts.frequencyInputs };
}

/** Builds the graph that gives the keys and values [1, P, K·d] of the first `top` blocks for one row of prefix tokens. */
export function prefixKeys(model: LoadedModel, top: number): ActivationsGraph {
  return keysGraph(model, { top, hasPrefix: false, name: "prefix" });
}

/**
 * Builds the graph that gives the keys, rotated, and values of every block for rows of prompt tokens: `prompt.key.<i>` and
 * `prompt.value.<i>` [B, T, K·d]. With a prefix it takes the inputs that pooledActivations takes for one.
 */
export function promptKeys(
  model: LoadedModel,
  { hasPrefix = false }: { readonly hasPrefix?: boolean | undefined } = {},
): ActivationsGraph {
  return keysGraph(model, { top: model.config.layerCount, hasPrefix, name: "prompt" });
}

function keysGraph(
  model: LoadedModel,
  { top, hasPrefix, name }: { top: number; hasPrefix: boolean; name: "prefix" | "prompt" },
): ActivationsGraph {
  const outputs: Record<string, Tensor> = {};
  const { frequencyInputs } = residualStream(model, {
    top,
    hasPrefix,
    onKeys: (own, block) => {
      outputs[keyName(block, name)] = own.key;
      outputs[valueName(block, name)] = own.value;
    },
  });
  return { outputs, frequencyInputs };
}

/** Token ids `ids` [B, T] to the residual stream at layer 0, [B, T, D]. */
export function embedTokens({ family, config }: LoadedModel, width: Dim = "T"): Tensor {
  return family.embed(input("ids", "int32", ["B", width]), config);
}

function tokenPlaces(positions: string, segments: string, size: string): TokenPlaces {
  return {
    positions: input(positions, "int32", ["B", size]),
    segments: input(segments, "int32", ["B", size]),
  };
}

function behindPrefix(config: ModelConfig, block: number, own: KeysAndValues): KeysAndValues {
  const width = config.keyHeads * config.headDim;
  const join = (name: string, values: Tensor): Tensor =>
    concat([repeatRow(input(name, "float32", [1, "P", width]), values), values], 1, "S");
  return { key: join(keyName(block), own.key), value: join(valueName(block), own.value) };
}

/** The distinct rope settings of blocks below `top`. */
export function usedRopes({ attention }: ModelConfig, top: number): readonly RopeScaling[] {
  const used = new Set(attention.slice(0, top).map(({ rope }) => rope));
  return [...used].filter((rope) => rope !== undefined);
}

/** The angles of blocks below `top` at positions [B, T], made once for each rope setting, and the input that each needs. */
export function ropeAngles(
  config: ModelConfig,
  top: number,
  positions: Tensor,
): {
  /** undefined where the block does not rotate. */
  of: (block: number) => RotaryAngles | undefined;
  frequencyInputs: ReadonlyMap<string, RopeScaling>;
} {
  const ropeOf = config.attention.slice(0, top).map((each) => each.rope);
  const ropes = usedRopes(config, top);
  const inputName = (i: number): string => `frequencies.${i}`;
  const asFloat = cast(positions, "float32");
  const angles = ropes.map((rope, i) =>
    rotaryAngles(
      asFloat,
      input(inputName(i), "float32", ["B", config.rotaryDim / 2]),
      rotaryAttentionFactor(rope),
    ),
  );
  return {
    of: (block) => {
      const rope = ropeOf[block];
      return rope === undefined ? undefined : angles[ropes.indexOf(rope)];
    },
    frequencyInputs: new Map(ropes.map((rope, i) => [inputName(i), rope])),
  };
}

/** Masks and angles, made once for each window and rope that the blocks below `top` use. */
function attentionContexts(
  config: ModelConfig,
  top: number,
  queries: TokenPlaces,
  keys: TokenPlaces,
): {
  of: (block: number) => SequenceContext;
  frequencyInputs: ReadonlyMap<string, RopeScaling>;
} {
  const used: readonly LayerAttention[] = config.attention.slice(0, top);
  const windows = [...new Set(used.map((each) => each.window))];
  const angles = ropeAngles(config, top, queries.positions);
  const biases = windows.map((window) => attentionBias(queries, keys, window));
  return {
    of: (block) => ({
      angles: angles.of(block),
      bias: biases[windows.indexOf(used[block]!.window)]!, // blocks below `top` only, and every window has its bias
    }),
    frequencyInputs: angles.frequencyInputs,
  };
}
