import { hashText } from "../../util/hash.ts";
import { createRng, type Rng } from "../../util/rng.ts";

/** A sample that has not ended. */
export interface ActiveRow {
  /** Index into the prompts. */
  readonly prompt: number;
  readonly sample: number;
  /** Tokens in the cache. */
  length: number;
  /** The token that the next step runs: the prompt's last, then the one sampled. */
  next: number;
  readonly tokens: number[];
  readonly rng: Rng;
}

/** A sample's random numbers: they follow from seed, prompt and number alone, whatever runs beside it. */
export function sampleRng(seed: number, promptHash: string, sample: number): Rng {
  return createRng(Number.parseInt(hashText(`${seed}/${promptHash}/${sample}`).slice(0, 8), 16));
}
