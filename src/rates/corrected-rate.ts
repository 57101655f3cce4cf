import { z } from "zod";

import type { Plain } from "../util/artifact.ts";

/** A corrected rate with its 95% interval; all undefined where it cannot be had, and `why` says why. */
export const correctedRateSchema = z.strictObject({
  rate: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
  why: z.string().optional(),
});
export type CorrectedRate = Plain<typeof correctedRateSchema>;
