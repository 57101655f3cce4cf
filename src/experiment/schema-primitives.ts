import { z } from "zod";

/** At least one. */
export const count = z.int().min(1);
/** Of a file or folder, relative to the experiment file. */
export const path = z.string().min(1);
/** Of a stream of random numbers. */
export const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
