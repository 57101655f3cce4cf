/** A figure that was computed, or the reason why the data do not allow it; never a made-up number, never NaN. */
export type Measured<T> =
  | ({ readonly kind: "measured" } & T)
  | { readonly kind: "not-computed"; readonly reason: string };

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

export function notComputed(reason: string): {
  readonly kind: "not-computed";
  readonly reason: string;
} {
  return { kind: "not-computed", reason };
}
