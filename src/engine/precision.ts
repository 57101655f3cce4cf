/** @file How weights are held while they are used. It changes activations, so files say it. */
import { ConfigError } from "../util/errors.ts";

export const PRECISIONS = ["F32", "BF16", "INT8", "INT4", "W8A8"] as const;
/**
 * F32: as they are. BF16: rounded, on a cluster alone. INT8, INT4 and W8A8: see model/int8-weights.ts, model/int4-weights.ts and
 * model/w8a8-weights.ts, in this process alone.
 */
export type Precision = (typeof PRECISIONS)[number];

/** What an engine of this process takes, and one on a cluster. */
const TAKEN = {
  local: ["F32", "INT8", "INT4", "W8A8"],
  ray: ["F32", "BF16"],
} as const satisfies Readonly<Record<string, readonly Precision[]>>;

/** The precision, by default F32. Throws ConfigError where the engine has no such thing. */
export function expectPrecision(
  engine: keyof typeof TAKEN,
  precision: Precision = "F32",
): Precision {
  const taken: readonly Precision[] = TAKEN[engine];
  if (taken.includes(precision)) return precision;
  throw new ConfigError(
    `precision: expected ${taken.join(" or ")} with engine ${engine}, got ${precision}`,
    { hint: `Leave it out, or take ${taken.join(" or ")}.` },
  );
}

/** Whether weights are held in whole numbers, which change the vectors that come of them. */
export const isWhole = (precision: Precision | undefined): boolean =>
  precision === "INT8" || precision === "INT4" || precision === "W8A8";

/** Throws ConfigError where weights are held in whole numbers, which serve mean states alone. */
export function expectFull(precision: Precision | undefined, what: string): void {
  if (!isWhole(precision)) return;
  throw new ConfigError(`precision: expected F32 for ${what}, got ${precision}`, {
    hint: `${precision} is for states of responses (culprit embed and culprit behavior): leave it out here.`,
  });
}
