import { hashText } from "../util/hash.ts";
import { createRng, type Rng } from "../util/rng.ts";

/** A stream for each statistic, so that asking for more splits does not change the flips. */
export function namedStream(seed: number, name: string): Rng {
  return createRng(Number.parseInt(hashText(`${seed} ${name}`).slice(0, 8), 16));
}
