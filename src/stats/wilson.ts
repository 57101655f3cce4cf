import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";

/** A proportion with its Wilson score interval at 95%; share and bounds are undefined where there is nothing to count. */
export const shareSchema = z.strictObject({
  count: countSchema,
  of: countSchema,
  share: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
});
export type Share = Plain<typeof shareSchema>;

/** The 97.5% quantile of the standard normal. */
const Z = 1.959963984540054;

/** `count` of `of` as a share; unlike the normal interval this one keeps a width at 0% and 100% (Wilson 1927). */
export function wilsonShare(count: number, of: number): Share {
  if (of === 0) return { count, of, share: undefined, low: undefined, high: undefined };
  const share = count / of;
  const centre = share + (Z * Z) / (2 * of);
  const half = Z * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of));
  const scale = 1 + (Z * Z) / of;
  return {
    count,
    of,
    share,
    low: Math.max(0, (centre - half) / scale),
    high: Math.min(1, (centre + half) / scale),
  };
}
