/** @file Where one pair stands in the rankings of a file. */
import { percentile } from "../attribution/rank-scores.ts";
import { ownField } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { type Ranking, type RankingFile, readRankings } from "./ranking-file.ts";

/** A pair in one ranking. */
export interface PairPlace extends Pick<RankingFile, "method" | "behavior" | "layer"> {
  /** From 1. */
  readonly rank: number;
  /** Pairs with a score. */
  readonly scored: number;
  readonly pairs: number;
  /** Undefined where the pair has none, or the file holds ranks alone. */
  readonly score: number | undefined;
  /** Share of the scored pairs below it, in percent; undefined without a score. */
  readonly percentile: number | undefined;
}

/** The places of a pair, and of what the rankings are. */
export interface PairPlaces {
  readonly places: readonly PairPlace[];
  /** Content hash of the pairs that were ranked; undefined where the file does not say. */
  readonly pairsHash: string | undefined;
}

/** Reads where a pair stands in each ranking of a file. Throws ConfigError where it is in none, FormatError where the file is no ranking. */
export async function readPairPlaces(
  path: string,
  id: string,
  job: JobOptions = {},
): Promise<PairPlaces> {
  const rankings = await readRankings(path, job);
  const places = rankings.flatMap((ranking) => placeIn(ranking, id) ?? []);
  const [first] = rankings;
  if (places.length > 0) return { places, pairsHash: first?.file.pairsHash };
  const example = first?.ids[0] ?? "";
  throw new ConfigError(`pair: expected an id of ${path}, got ${JSON.stringify(id.slice(0, 80))}`, {
    hint: `Ids stand in its column id; the first is ${JSON.stringify(example.slice(0, 80))}.`,
  });
}

function placeIn(
  { ids, scores, scored, isRanksOnly, file }: Ranking & { readonly file: RankingFile },
  id: string,
): PairPlace | undefined {
  const at = ids.indexOf(id);
  if (at === -1) return undefined;
  const { method, behavior, layer } = file;
  const score = isRanksOnly === true || Number.isNaN(scores[at]) ? undefined : scores[at];
  const rank = at + 1;
  const below = percentile(rank, scored);
  return { method, behavior, layer, rank, scored, pairs: ids.length, score, percentile: below };
}

/** A column of a pair's first row in a ranking file, as text; undefined where there is none. */
export async function readRankedColumn(
  path: string,
  id: string,
  column: string,
  { signal }: JobOptions = {},
): Promise<string | undefined> {
  for await (const row of readRows(path, { signal })) {
    if (row.kind === "broken" || String(ownField(row.fields, "id")) !== id) continue;
    const value = ownField(row.fields, column);
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  }
  return undefined;
}
