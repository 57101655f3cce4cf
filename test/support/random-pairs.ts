import { createRng, type Rng } from "../../src/util/rng.ts";

const WORDS =
  "river stone lamp quick green under the a of and yellow seven house garden winter paper".split(
    " ",
  );

/** Some words of nonsense. */
export function randomText(rng: Rng, words: number): string {
  return Array.from({ length: words }, () => WORDS[rng.integer(WORDS.length)]!).join(" ");
}

/** A preference pair as a row of a file, TRL standard shape. */
export interface PairRow {
  readonly id: string;
  readonly source: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

/** Rows of very unequal lengths; the same seed gives the same rows. */
export function randomPairs(count: number, seed = 1): PairRow[] {
  const rng = createRng(seed);
  return Array.from({ length: count }, (_, i) => ({
    id: `pair-${i}`,
    source: ["north", "south", "east"][rng.integer(3)]!,
    prompt: randomText(rng, 1 + rng.integer(12)),
    chosen: `${randomText(rng, 1 + rng.integer(15))} yes`,
    rejected: `${randomText(rng, 1 + rng.integer(15))} no`,
  }));
}
