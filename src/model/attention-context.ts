/** @file What a layer's attention needs beside its input; shapes as in layers.ts. */
import type { Tensor } from "../tensor/graph.ts";

/** cos and sin of every token's angles, [B, T, r/2] each. */
export interface RotaryAngles {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** What a layer's attention needs beside its input. */
export type AttentionContext = SequenceContext | StepContext;

/** For whole sequences: every query over every key of its row. */
export interface SequenceContext {
  /** undefined: the layer does not rotate. */
  readonly angles: RotaryAngles | undefined;
  /** [B, 1, T, S]: 0 where a query may see a key, a large negative number elsewhere. */
  readonly bias: Tensor;
  /** See AttentionAttributes. */
  readonly pieces?: number | undefined;
  /** Given the layer's own keys and values [B, T, K·d], those to attend to [B, S, K·d]; default: the same. */
  readonly extendKeys?: ((own: KeysAndValues) => KeysAndValues) | undefined;
}

/** For one step of sampling, which does the attention in its own way. */
export interface StepContext {
  /** undefined: the layer does not rotate. */
  readonly angles: RotaryAngles | undefined;
  /** From queries, rotated [B, T, H·d], and the layer's own keys and values to [B, T, H·d]. */
  readonly attend: (query: Tensor, own: KeysAndValues) => Tensor;
}

/** A layer's keys, rotated, and values: [B, T, K·d] each. */
export interface KeysAndValues {
  readonly key: Tensor;
  readonly value: Tensor;
}
