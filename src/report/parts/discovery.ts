import { join } from "node:path";

import { DISCOVERY, type Discovery } from "../../discovery/discovery-file.ts";
import { readPairRows } from "../../discovery/pair-sample.ts";
import { readRankedRows } from "../../ranking/read-ranked-rows.ts";
import { principalComponents } from "../../stats/principal-components.ts";
import { VECTORS } from "../../store/open-store.ts";
import { readStoreTable } from "../../store/read-shard.ts";
import { readRankings } from "../read-rankings.ts";
import { definePart } from "../report-part.ts";
import type { RunFolder } from "../run-folder.ts";

/** The clustered pairs as points of a plane; P of them, in the order of the columns' ids. */
export interface PairMap {
  /** Coordinates along the two principal components of the pairs' unit vectors, in thousandths of the largest, [P] each. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Share of the variance along each. */
  readonly shares: readonly number[];
  /** By the first ranking; null where a pair has no score. */
  readonly scores: readonly (number | null)[];
  /** Values of the column that counts as the source, as positions in `names`; -1 for none. */
  readonly sources: readonly number[];
  readonly names: readonly string[];
}

/** What training changed, found without labels: clusters of prompts and pairs, their cosines, and a map of the pairs. */
export const discoveryPart = definePart({
  name: "discovery",
  read: async ({ run, signal }) => {
    const folder = run.stage("discover");
    if (folder === undefined) return undefined;
    const { matrix, ...found } = await DISCOVERY.read(join(folder, DISCOVERY.name));
    return { ...found, heat: shorten(matrix), map: await mapPairs(run, found, signal) };
  },
});

/** Two digits a cell, 99 for the largest cosine on either side: what the eye can tell, in half of the room. */
function shorten(matrix: Discovery["matrix"]): {
  readonly largest: number;
  readonly cells: readonly (readonly number[])[];
} {
  let largest = 1;
  for (const row of matrix) for (const each of row) largest = Math.max(largest, Math.abs(each));
  const cells = matrix.map((row) => row.map((each) => Math.round((99 * each) / largest)));
  return { largest: largest / 1000, cells };
}

/** Undefined where the vectors are not there any more. */
async function mapPairs(
  run: RunFolder,
  { columns, layers, by }: Pick<Discovery, "columns" | "layers" | "by">,
  signal: AbortSignal | undefined,
): Promise<PairMap | undefined> {
  const embedded = run.stage("embed");
  if (embedded === undefined) return undefined;
  const store = await VECTORS.read(join(embedded, VECTORS.name));
  const table = await readStoreTable(store);
  const rowOf = new Map(table.ids.map((id, row) => [id, row]));
  const picked = columns.ids.map((id) => rowOf.get(id));
  if (!picked.every((row) => row !== undefined)) return undefined; // a store of other pairs
  const rows = await readPairRows(store, layers, picked, { signal });
  const { coordinates, shares } = principalComponents(rows, 2); // of two numbers or more each
  const largest = Math.max(...coordinates.flatMap((each) => [...each].map(Math.abs)), 1e-12);
  const thousandths = (values: Float64Array): number[] =>
    Array.from(values, (each) => Math.round((1000 * each) / largest));
  const column = by === undefined ? undefined : table.columns[by];
  const sources = picked.map((row) => column?.[row] ?? null);
  const names = [...new Set(sources)].filter((each) => each !== null).map(String);
  return {
    x: thousandths(coordinates[0]!),
    y: thousandths(coordinates[1]!),
    shares,
    scores: await scoresOf(run, columns.ids, signal),
    sources: sources.map((each) => (each === null ? -1 : names.indexOf(String(each)))),
    names,
  };
}

async function scoresOf(
  run: RunFolder,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly (number | null)[]> {
  const [first] = await readRankings(run);
  const wanted = new Map<string, number | null>(ids.map((id) => [id, null]));
  if (first !== undefined) {
    for await (const { id, score } of readRankedRows(first.path, first.ranking.layer, { signal })) {
      if (score !== undefined && wanted.has(id)) wanted.set(id, Number(score.toPrecision(4)));
    }
  }
  return ids.map((id) => wanted.get(id)!);
}
