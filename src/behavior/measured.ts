import { z } from "zod";

import type { Plain } from "../util/artifact.ts";

const notComputedSchema = z.strictObject({ kind: z.literal("not-computed"), reason: z.string() });

/** A figure that was computed, or the reason why the data do not allow it; never a made-up number, never NaN. */
export type Measured<T> = ({ readonly kind: "measured" } & T) | NotComputed;
type NotComputed = Plain<typeof notComputedSchema>;

/** Of such a figure; `figure` is without the kind. */
export function measuredSchema<S extends z.ZodRawShape>(
  figure: z.ZodObject<S>,
): z.ZodType<Measured<z.output<z.ZodObject<S>>>> {
  const measured = z.strictObject({ kind: z.literal("measured"), ...figure.shape });
  return z.discriminatedUnion("kind", [measured, notComputedSchema]) as never; // spread by hand: zod cannot type it
}

/**
 * Fewer prompts than this say nothing about stability: three prompts have three splits and four sign patterns (up to a
 * common sign), so every figure would be one of a handful of values.
 */
export const MIN_PROMPTS = 4;

/** The reason where there are too few prompts, or undefined. */
export function tooFewPrompts(count: number): string | undefined {
  return count >= MIN_PROMPTS
    ? undefined
    : `too few prompts: ${count}, at least ${MIN_PROMPTS} are needed`;
}

export function notComputed(reason: string): NotComputed {
  return { kind: "not-computed", reason };
}
