/**
 * @file The parts that transformer blocks are made of.
 *
 * Shapes: B rows, T tokens a row, D residual width, H heads, K key heads, d head size, r rotated numbers of a head, F inner width of the MLP.
 */
import { parameter, scalar, type Tensor } from "../tensor/graph.ts";
import { add, multiply } from "../tensor/ops/arithmetic.ts";
import { attention, type AttentionAttributes } from "../tensor/ops/attention.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { rmsNorm } from "../tensor/ops/rms-norm.ts";
import { rotary } from "../tensor/ops/rotary.ts";
import { cosine, sine } from "../tensor/ops/unary.ts";
import type {
  AttentionContext,
  KeysAndValues,
  RotaryAngles,
  SequenceContext,
} from "./attention-context.ts";
import type { ModelConfig } from "./model-config.ts";
import type { LoadedModel, Norm } from "./model-family.ts";

/** Ends the parameter name of a matrix that is stored [out, in] and used [in, out]. */
export const TRANSPOSED = ".T";

/** x·Wᵀ + b with the checkpoint's `<name>.weight` [outDim, inDim] and, if asked for, `<name>.bias`. */
export function linear(
  x: Tensor,
  name: string,
  size: { inDim: number; outDim: number; hasBias: boolean },
): Tensor {
  const weight = parameter(`${name}.weight${TRANSPOSED}`, [size.inDim, size.outDim]);
  const product = matMul(x, weight);
  return size.hasBias ? add(product, parameter(`${name}.bias`, [size.outDim])) : product;
}

/** RMSNorm with the checkpoint's `<name>.weight`. */
export const RMS_NORM: Norm = {
  apply(x, name, { epsilon }) {
    const dim = x.shape.at(-1) as number; // widths have no names
    return rmsNorm(x, parameter(`${name}.weight`, [dim]), epsilon);
  },
  initial: 1,
};

/** The family's norm over the last axis, weights under `<name>.`. */
export function norm(x: Tensor, name: string, { family, config }: LoadedModel): Tensor {
  return family.norm.apply(x, name, config);
}

/** How queries and keys are normalised before rotation. */
export type QueryKeyNorm =
  | "none"
  /** One norm over all heads together (OLMo 2). */
  | "joint"
  /** One norm for each head, weights shared (Qwen 3). */
  | "per-head";

/** Multi-head attention with grouped keys, weights under `<prefix>.`: [B, T, D] to [B, T, D]. */
export function selfAttention(
  x: Tensor,
  prefix: string,
  model: LoadedModel,
  context: AttentionContext,
  queryKeyNorm: QueryKeyNorm,
): Tensor {
  const { dim, heads, keyHeads, headDim, hasQkvBias, hasOutputBias } = model.config;
  const project = (name: string, count: number): Tensor =>
    linear(x, `${prefix}.${name}`, { inDim: dim, outDim: count * headDim, hasBias: hasQkvBias });
  const normalise = (y: Tensor, name: string, count: number): Tensor => {
    switch (queryKeyNorm) {
      case "none":
        return y;
      case "joint":
        return norm(y, `${prefix}.${name}`, model);
      case "per-head": {
        const [b, t] = y.shape;
        const split = reshape(y, [b!, t!, count, headDim]); // activations always have three axes
        return reshape(norm(split, `${prefix}.${name}`, model), y.shape);
      }
    }
  };
  const query = normalise(project("q_proj", heads), "q_norm", heads);
  const key = normalise(project("k_proj", keyHeads), "k_norm", keyHeads);
  const mixed = attend(query, { key, value: project("v_proj", keyHeads) }, model, context);
  return linear(mixed, `${prefix}.o_proj`, {
    inDim: heads * headDim,
    outDim: dim,
    hasBias: hasOutputBias,
  });
}

/** Turns queries [B, T, H·d] and keys [B, T, K·d] by their positions and attends: [B, T, H·d]. */
export function attend(
  query: Tensor,
  { key, value }: KeysAndValues,
  { config }: LoadedModel,
  context: AttentionContext,
): Tensor {
  const { heads, keyHeads } = config;
  const rotate = (y: Tensor, count: number): Tensor =>
    context.angles === undefined ? y : rotary(y, context.angles.cos, context.angles.sin, count);
  const turned = rotate(query, heads);
  const own = { key: rotate(key, keyHeads), value };
  return "attend" in context
    ? context.attend(turned, own)
    : attendToAll(turned, own, config, context);
}

function attendToAll(
  query: Tensor,
  own: KeysAndValues,
  config: ModelConfig,
  context: SequenceContext,
): Tensor {
  const { key, value } = context.extendKeys?.(own) ?? own;
  const { bias, pieces } = context;
  return attention(query, key, value, bias, { ...attentionAttributes(config), pieces });
}

/** Head counts, the scale of the scores and their cap. */
export function attentionAttributes(config: ModelConfig): AttentionAttributes {
  const { heads, keyHeads, attentionScale, attentionSoftcap } = config;
  return { heads, keyHeads, scale: attentionScale, softcap: attentionSoftcap };
}

/** A gated MLP (Shazeer 2020; SwiGLU with SiLU): down(activation(gate(x)) · up(x)), weights under `<prefix>.`. */
export function gatedMlp(x: Tensor, prefix: string, { family, config }: LoadedModel): Tensor {
  const { dim, mlpDim, hasMlpBias } = config;
  const inner = { inDim: dim, outDim: mlpDim, hasBias: hasMlpBias };
  const gate = family.activation(linear(x, `${prefix}.gate_proj`, inner));
  const up = linear(x, `${prefix}.up_proj`, inner);
  return linear(multiply(gate, up), `${prefix}.down_proj`, {
    inDim: mlpDim,
    outDim: dim,
    hasBias: hasMlpBias,
  });
}

/** Angles from positions [B, T] (float32) and each row's inverse frequencies [B, r/2]. */
export function rotaryAngles(
  positions: Tensor,
  frequencies: Tensor,
  attentionFactor: number,
): RotaryAngles {
  const [b, t] = positions.shape;
  const half = frequencies.shape[1]!; // [B, r/2]
  const angles = multiply(reshape(positions, [b!, t!, 1]), reshape(frequencies, [b!, 1, half])); // [B, T, r/2]
  const scale = (y: Tensor): Tensor =>
    attentionFactor === 1 ? y : multiply(y, scalar(attentionFactor));
  return { cos: scale(cosine(angles)), sin: scale(sine(angles)) };
}
