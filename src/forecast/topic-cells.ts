import { meanAndError } from "../stats/clustered-mean.ts";
import type { Rng } from "../util/rng.ts";
import { meanOf } from "../util/vector.ts";
import type { Cell } from "./forecast-file.ts";
import type { PairClusters } from "./pair-clusters.ts";
import type { StorePredictors } from "./read-predictors.ts";

/** Topics in the result, the commonest. */
export const MAX_TOPICS = 50;

/**
 * How far each topic's pairs lie along each behaviour: the mean projection of chosen minus rejected, its size in standard deviations of the pairs
 * (d) and of its own error over clusters (z), and whether two random halves of the clusters agree on its sign. `topics` by pair, [N].
 *
 * Worked: projections 1 and 3 of two prompts: difference 2, d = 2/√2, z = 2.
 */
export function topicCells(
  predictors: readonly StorePredictors[],
  topics: readonly string[],
  { labels, count }: PairClusters,
  rng: Rng,
): { readonly cells: readonly Cell[]; readonly leftOut: number } {
  const rowsOf = new Map<string, number[]>();
  for (const [row, topic] of topics.entries()) {
    const rows = rowsOf.get(topic);
    if (rows === undefined) rowsOf.set(topic, [row]);
    else rows.push(row);
  }
  const halves = Uint8Array.from({ length: count }, () => (rng.sign() > 0 ? 1 : 0));
  const shown = [...rowsOf].toSorted(([, a], [, b]) => b.length - a.length).slice(0, MAX_TOPICS);
  const cells = shown.flatMap(([topic, rows]) => {
    const own = rows.map((row) => labels[row]!);
    return predictors.map(({ behavior, projections }): Cell => {
      const values = rows.map((row) => projections[row]!);
      const { value, error } = meanAndError(values, own);
      const spread = deviation(values, value);
      const half = (which: number): number =>
        meanOf(values.filter((_, i) => halves[own[i]!] === which));
      const pair = [half(1), half(0)];
      const isSplit = pair.every(Number.isFinite);
      return {
        topic,
        behavior,
        pairs: rows.length,
        difference: value,
        ...(spread > 0 && { d: value / spread }),
        ...(error !== undefined && error > 0 && { z: value / error }),
        ...(isSplit && { halves: pair, agree: pair[0]! > 0 === pair[1]! > 0 }),
      };
    });
  });
  return { cells, leftOut: rowsOf.size - shown.length };
}

/** Of a sample; 0 for one value. */
function deviation(values: readonly number[], centre: number): number {
  if (values.length < 2) return 0;
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
