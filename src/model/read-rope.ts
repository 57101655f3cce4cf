/** @file Rope settings as config.json spells them, old and new. */
import { z } from "zod";

import { ConfigError, UnsupportedError } from "../util/errors.ts";
import type { RopeScaling } from "./rope.ts";

const ROPE_KINDS = ["default", "linear", "dynamic", "yarn", "llama3", "longrope"] as const;

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
  longrope: z.strictObject({
    ...inert,
    ...theta,
    short_factor: z.array(positive),
    long_factor: z.array(positive),
    factor: positive.nullish(),
    attention_factor: positive.nullish(),
    original_max_position_embeddings: positive.nullish(),
  }),
} as const;

/** What the rest of config.json adds to a rope setting. */
export interface RopeDefaults {
  readonly theta: number;
  readonly maxPositions: number;
  /** `original_max_position_embeddings` outside the rope setting, which goes before one inside; not read where each kind of layer has a setting. */
  readonly originalMaxPositions?: number | null | undefined;
}

/**
 * The setting of full layers in families with one for each kind of layer: as in transformers the old key adds to the new one, whose kind,
 * where it has none of its own, is "default" whatever the old key's `type` says.
 */
export function fullLayerSetting(
  nested: Readonly<Record<string, unknown>> | null | undefined,
  old: Readonly<Record<string, unknown>> | null | undefined,
): Readonly<Record<string, unknown>> {
  return { ...(nested ?? { rope_type: "default" }), ...old };
}

/** Reads one rope setting (`rope_scaling` or `rope_parameters`, old or new spelling); undefined or null is the default. */
export function readRopeScaling(
  where: string,
  raw: Readonly<Record<string, unknown>> | null | undefined,
  defaults: RopeDefaults,
): RopeScaling {
  const settings = raw ?? {};
  const { rope_type: newName, type: oldName } = settings;
  const named = newName ?? oldName ?? "default";
  if (oldName !== undefined && oldName !== named) {
    // transformers 5 takes the new key; releases that wrote the old one meant that.
    throw new UnsupportedError(
      `${where}: rope "type" ${JSON.stringify(oldName)} beside "rope_type" ${JSON.stringify(named)} is ambiguous`,
      { hint: "Keep the one that the model was trained with, as rope_type." },
    );
  }
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
        originalMaxPositions: originalLength(settled, defaults),
      };
    }
    case "longrope":
      return readLongrope(parse(SCHEMAS.longrope), defaults);
    case undefined:
      throw new UnsupportedError(
        `${where}: rope type ${JSON.stringify(named)} is not supported, expected ${ROPE_KINDS.join(", ")}`,
      );
  }
}

function originalLength(
  raw: { readonly original_max_position_embeddings?: number | null | undefined },
  { originalMaxPositions, maxPositions }: RopeDefaults,
): number {
  return originalMaxPositions ?? raw.original_max_position_embeddings ?? maxPositions;
}

function readYarn(raw: z.infer<typeof SCHEMAS.yarn>, defaults: RopeDefaults): RopeScaling {
  const originalMaxPositions = originalLength(raw, defaults);
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

function readLongrope(raw: z.infer<typeof SCHEMAS.longrope>, defaults: RopeDefaults): RopeScaling {
  const originalMaxPositions = originalLength(raw, defaults);
  const factor = raw.factor ?? defaults.maxPositions / originalMaxPositions;
  const inferred =
    factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
  return {
    kind: "longrope",
    theta: raw.rope_theta ?? defaults.theta,
    shortFactors: raw.short_factor,
    longFactors: raw.long_factor,
    originalMaxPositions,
    attentionFactor: raw.attention_factor ?? inferred,
  };
}
