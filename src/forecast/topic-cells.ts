import type { ColumnValue } from "../pairs/preference-pair.ts";
import { groupName } from "../ranking/group-column.ts";
import { meanAndError } from "../stats/clustered-mean.ts";
import type { Rng } from "../util/rng.ts";
import { meanOf } from "../util/vector.ts";
import type { Cell } from "./forecast-file.ts";
import type { PairClusters } from "./pair-clusters.ts";

/** Topics in the result, the commonest. */
export const MAX_TOPICS = 50;

/** The commonest topics of the pairs, N of them. */
export interface Topics {
  readonly names: readonly string[];
  /** Topics that are too many for the result. */
  readonly leftOut: number;
  /** A cell for each of `names`, of a behaviour by each pair's projection, [N]. */
  cellsOf(behavior: string, projections: Float32Array): readonly Cell[];
}

/** Where the pairs have no topics. */
export const NO_TOPICS: Topics = { names: [], leftOut: 0, cellsOf: () => [] };

/**
 * How far each topic's pairs lie along each behaviour: the mean projection of chosen minus rejected, its size in standard deviations of the pairs
 * (d) and of its own error over clusters (z), and whether two random halves of the clusters agree on its sign. `topics` by pair, [N].
 *
 * Worked: projections 1 and 3 of two prompts: difference 2, d = 2/√2, z = 2.
 */
export function openTopics(
  topics: readonly ColumnValue[],
  { labels, count }: PairClusters,
  rng: Rng,
): Topics {
  const rowsOf = new Map<string, number[]>();
  for (const [row, value] of topics.entries()) {
    const topic = groupName(value);
    const rows = rowsOf.get(topic);
    if (rows === undefined) rowsOf.set(topic, [row]);
    else rows.push(row);
  }
  const halves = Uint8Array.from({ length: count }, () => (rng.sign() > 0 ? 1 : 0));
  const shown = [...rowsOf].toSorted(([, a], [, b]) => b.length - a.length).slice(0, MAX_TOPICS);
  return {
    names: shown.map(([topic]) => topic),
    leftOut: rowsOf.size - shown.length,
    cellsOf: (behavior, projections) =>
      shown.map(([topic, rows]): Cell => {
        const own = rows.map((row) => labels[row]!);
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
      }),
  };
}

/** Of a sample; 0 for one value. */
function deviation(values: readonly number[], centre: number): number {
  if (values.length < 2) return 0;
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
