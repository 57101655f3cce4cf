/**
 * @file Rotary position embedding: the inverse frequencies of every scaling in use.
 *
 * Formulas: Su et al. 2021 (default), position interpolation (linear), NTK-aware scaling recomputed with the length (dynamic),
 * YaRN (Peng et al. 2023, sections 3.2-3.4), and Llama 3.1's piecewise rule. Values agree with transformers to float32.
 */
import { z } from "zod";

import { ConfigError, UnsupportedError } from "../util/errors.ts";

const ROPE_KINDS = ["default", "linear", "dynamic", "yarn", "llama3"] as const;

/** How positions become angles. */
export type RopeScaling = { readonly theta: number } & (
  | { readonly kind: "default" }
  | { readonly kind: "linear"; readonly factor: number }
  /** Depends on the length of the whole sequence once that passes `maxPositions`. */
  | { readonly kind: "dynamic"; readonly factor: number; readonly maxPositions: number }
  | {
      readonly kind: "yarn";
      readonly factor: number;
      readonly originalMaxPositions: number;
      /** Multiplies cos and sin. */
      readonly attentionFactor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly isTruncated: boolean;
    }
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaxPositions: number;
    }
);

/**
 * Inverse frequencies [headDim / 2] for a sequence of `sequenceLength` tokens; only `dynamic` looks at the length.
 * Computed in float64 and rounded once.
 */
export function inverseFrequencies(
  scaling: RopeScaling,
  headDim: number,
  sequenceLength: number,
): Float32Array {
  const plain = (theta: number): number[] =>
    Array.from({ length: headDim / 2 }, (_, i) => theta ** (-(2 * i) / headDim));
  switch (scaling.kind) {
    case "default":
      return Float32Array.from(plain(scaling.theta));
    case "linear":
      return Float32Array.from(plain(scaling.theta), (each) => each / scaling.factor);
    case "dynamic": {
      const { factor, maxPositions, theta } = scaling;
      const length = Math.max(sequenceLength, maxPositions);
      const stretch = (factor * length) / maxPositions - (factor - 1);
      return Float32Array.from(plain(theta * stretch ** (headDim / (headDim - 2))));
    }
    case "yarn":
      return yarnFrequencies(scaling, headDim, plain(scaling.theta));
    case "llama3":
      return llama3Frequencies(scaling, plain(scaling.theta));
  }
}

/** What cos and sin are multiplied by; 1 for every scaling but YaRN. */
export function rotaryAttentionFactor(scaling: RopeScaling): number {
  return scaling.kind === "yarn" ? scaling.attentionFactor : 1;
}

/** Whether two sequences of these lengths get the same angles, so that they may share their prompt's keys. */
export function sharesAngles(scaling: RopeScaling, lengthA: number, lengthB: number): boolean {
  if (scaling.kind !== "dynamic" || lengthA === lengthB) return true;
  return Math.max(lengthA, lengthB) <= scaling.maxPositions;
}

function yarnFrequencies(
  scaling: Extract<RopeScaling, { kind: "yarn" }>,
  headDim: number,
  plain: readonly number[],
): Float32Array {
  // The component whose wave turns `rotations` times within the original context.
  const correctionDim = (rotations: number): number =>
    (headDim * Math.log(scaling.originalMaxPositions / (rotations * 2 * Math.PI))) /
    (2 * Math.log(scaling.theta));
  const fast = correctionDim(scaling.betaFast);
  const slow = correctionDim(scaling.betaSlow);
  const low = Math.max(scaling.isTruncated ? Math.floor(fast) : fast, 0);
  const top = Math.min(scaling.isTruncated ? Math.ceil(slow) : slow, headDim - 1);
  const high = low === top ? top + 0.001 : top; // keeps the ramp's slope finite
  return Float32Array.from(plain, (frequency, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)));
    // Fast waves keep their frequency, slow ones are interpolated.
    return frequency * (1 - ramp) + (frequency / scaling.factor) * ramp;
  });
}

function llama3Frequencies(
  scaling: Extract<RopeScaling, { kind: "llama3" }>,
  plain: readonly number[],
): Float32Array {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = scaling;
  return Float32Array.from(plain, (frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    if (turns > highFrequencyFactor) return frequency;
    if (turns < lowFrequencyFactor) return frequency / factor;
    const smooth = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    return (1 - smooth) * (frequency / factor) + smooth * frequency;
  });
}

const positive = z.number().positive();
/** Present in some checkpoints, and read nowhere. */
const inert = { rope_type: z.string().optional(), type: z.string().optional() };
const theta = { rope_theta: positive.nullish(), partial_rotary_factor: z.literal(1).nullish() };
const SCHEMAS = {
  default: z.strictObject({ ...inert, ...theta }),
  linear: z.strictObject({ ...inert, ...theta, factor: positive }),
  dynamic: z.strictObject({
    ...inert,
    ...theta,
    factor: positive,
    // Written by some exporters; transformers takes max_position_embeddings whatever it says.
    original_max_position_embeddings: positive.nullish(),
  }),
  yarn: z.strictObject({
    ...inert,
    ...theta,
    factor: positive.nullish(),
    original_max_position_embeddings: positive.nullish(),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().nullish(),
  }),
  llama3: z.strictObject({
    ...inert,
    ...theta,
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: positive.nullish(),
  }),
} as const;

/** What the rest of config.json adds to a rope setting. */
export interface RopeDefaults {
  readonly theta: number;
  readonly maxPositions: number;
}

/** Reads one rope setting (`rope_scaling` or `rope_parameters`, old or new spelling); undefined or null is the default. */
export function readRopeScaling(
  where: string,
  raw: Readonly<Record<string, unknown>> | null | undefined,
  defaults: RopeDefaults,
): RopeScaling {
  const settings = raw ?? {};
  const named = settings["rope_type"] ?? settings["type"] ?? "default";
  const kind = ROPE_KINDS.find((each) => each === named);
  const parse = <S extends z.ZodType>(schema: S): z.infer<S> => {
    const result = schema.safeParse(settings);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new ConfigError(`${where}: ${[...(issue?.path ?? [])].join(".")} ${issue?.message}`);
  };
  switch (kind) {
    case "default": {
      const { rope_theta } = parse(SCHEMAS.default);
      return { kind, theta: rope_theta ?? defaults.theta };
    }
    case "linear": {
      const { rope_theta, factor } = parse(SCHEMAS.linear);
      return { kind, theta: rope_theta ?? defaults.theta, factor };
    }
    case "dynamic": {
      const { rope_theta, factor } = parse(SCHEMAS.dynamic);
      return {
        kind,
        theta: rope_theta ?? defaults.theta,
        factor,
        maxPositions: defaults.maxPositions,
      };
    }
    case "yarn":
      return readYarn(parse(SCHEMAS.yarn), defaults);
    case "llama3": {
      const settled = parse(SCHEMAS.llama3);
      return {
        kind,
        theta: settled.rope_theta ?? defaults.theta,
        factor: settled.factor,
        lowFrequencyFactor: settled.low_freq_factor,
        highFrequencyFactor: settled.high_freq_factor,
        originalMaxPositions: settled.original_max_position_embeddings ?? defaults.maxPositions,
      };
    }
    case undefined:
      throw new UnsupportedError(
        `${where}: rope type ${JSON.stringify(named)} is not supported, expected ${ROPE_KINDS.join(", ")}`,
      );
  }
}

function readYarn(raw: z.infer<typeof SCHEMAS.yarn>, defaults: RopeDefaults): RopeScaling {
  const originalMaxPositions = raw.original_max_position_embeddings ?? defaults.maxPositions;
  const factor = raw.factor ?? defaults.maxPositions / originalMaxPositions;
  // YaRN, eq. 22: 0.1·ln(s) + 1, with optional weights on the logarithm.
  const magnitude = (weight: number): number =>
    factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  const { mscale, mscale_all_dim: mscaleAllDim } = raw;
  const hasBoth = Boolean(mscale) && Boolean(mscaleAllDim);
  return {
    kind: "yarn",
    theta: raw.rope_theta ?? defaults.theta,
    factor,
    originalMaxPositions,
    attentionFactor:
      raw.attention_factor ??
      (hasBoth ? magnitude(mscale ?? 1) / magnitude(mscaleAllDim ?? 1) : magnitude(1)),
    betaFast: raw.beta_fast ?? 32,
    betaSlow: raw.beta_slow ?? 1,
    isTruncated: raw.truncate ?? true,
  };
}
