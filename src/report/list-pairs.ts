/** @file Which pairs a report from disk lists, and of which it holds the text: all of a small run, the ends and a sample of a large one. */
import type { RankedPairs } from "./ranked-pairs.ts";

/** Up to so many pairs are all listed. */
export const ALL_LISTED = 20_000;
/** Of more pairs: so many of the top of the first ranking, of its bottom, of the top of each other ranking, and of those between. */
const LISTED = { top: 10_000, bottom: 1_000, otherTop: 1_000, between: 4_000 } as const;
/** So many of the top have their text before any other. */
export const TOP_TEXTS = 1_000;

/** Positions of the pairs to list, in the order of the first ranking. */
export function listPairs({ ids, ranks }: RankedPairs): Uint32Array {
  const n = ids.length;
  if (n <= ALL_LISTED) return Uint32Array.from(ids.keys());
  const chosen = new Uint8Array(n);
  chosen.fill(1, 0, LISTED.top);
  chosen.fill(1, n - LISTED.bottom);
  for (const others of ranks.slice(1)) {
    for (const [at, rank] of others.entries()) {
      if (rank >= 1 && rank <= LISTED.otherTop) chosen[at] = 1;
    }
  }
  const between = n - LISTED.top - LISTED.bottom;
  for (let i = 0; i < LISTED.between; i++) {
    chosen[LISTED.top + Math.floor((i * between) / LISTED.between)] = 1;
  }
  return Uint32Array.from(ids.keys()).filter((at) => chosen[at] === 1);
}

/** The listed pairs in the order in which they get their text while there is room: the top, then evenly spread ones, each half as dense. */
export function textOrder(listed: Uint32Array): Uint32Array {
  const rest = listed.subarray(TOP_TEXTS);
  const spread = Uint32Array.from(rest.keys()).toSorted(
    (a, b) => reversedBits(a) - reversedBits(b),
  );
  return Uint32Array.from([...listed.subarray(0, TOP_TEXTS), ...spread.map((i) => rest[i]!)]);
}

/** The bits of a number from the last to the first (van der Corput): any beginning of the order is spread over all. */
function reversedBits(value: number): number {
  let reversed = 0;
  for (let bits = value, i = 0; i < 32; i++, bits >>>= 1) reversed = reversed * 2 + (bits & 1);
  return reversed;
}

/** What of the run's pairs the report holds, in sentences. */
export function describeListing(total: number, listed: number, texts: number): string[] {
  const rows =
    listed === total
      ? `All ${total} pairs are listed.`
      : `${listed} of ${total} pairs are listed: the ${LISTED.top} ranked highest, the ${LISTED.bottom} ranked lowest, and pairs spread evenly between. The histogram is of all. ranking.parquet in the run's folder has every pair.`;
  const withText =
    texts === listed
      ? []
      : [
          `${texts} of them have their text here, the ${Math.min(TOP_TEXTS, texts)} ranked highest first.`,
        ];
  return [rows, ...withText];
}
