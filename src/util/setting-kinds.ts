/** @file Kinds of settings that several parts have. */
import { z } from "zod";

import { ConfigError } from "./errors.ts";

/** At least one. */
export const count = z.int().min(1);

/** A whole number from 0. */
export const whole = z.int().min(0);

export const nonNegative = z.number().min(0);
export const positive = z.number().gt(0);

/** A name, a column. */
export const nonEmpty = z.string().min(1);

/** Of a stream of random numbers. */
export const seed = whole.max(2 ** 31 - 1);

/** Prompt and response together. */
export const maxTokens = z
  .int()
  .min(2)
  .optional()
  .describe(
    "Prompt and response together, in tokens; longer responses are cut at the end. Absent: 2048, or the checkpoint's positions where those are fewer.",
  );

const DEFAULT_MAX_TOKENS = 2048;

/** The limit that `maxTokens` sets on a checkpoint. Throws ConfigError where the checkpoint has fewer positions. */
export function limitTokens(
  asked: number | undefined,
  { name, maxPositions }: { readonly name: string; readonly maxPositions: number },
): number {
  if (asked === undefined) return Math.min(DEFAULT_MAX_TOKENS, maxPositions);
  if (asked <= maxPositions) return asked;
  throw new ConfigError(`maxTokens: ${name} was made for ${maxPositions} positions, got ${asked}`);
}
