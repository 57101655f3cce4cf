import { openPairs } from "../pairs/open-pairs.ts";
import { ownField } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { otherKind } from "../pairs/row-kind.ts";
import { ConfigError, FormatError } from "../util/errors.ts";

/** One ranking of a ranking file. */
export interface RankingTable {
  /** Empty where the file has one behaviour (or one layer). */
  readonly behavior: string;
  readonly layer: string;
  readonly ids: readonly string[];
  /** NaN where a pair has none, [N]. */
  readonly scores: Float32Array;
}

/**
 * Reads the rankings that `culprit rank --out` wrote, one for each behaviour and layer; any table with columns id and score does.
 * Throws FormatError naming file and row, also for an id that a ranking has twice.
 */
export async function readRankings(path: string): Promise<readonly RankingTable[]> {
  const tables = new Map<
    string,
    { behavior: string; layer: string; ids: string[]; seen: Set<string>; scores: number[] }
  >();
  for await (const row of readRows(path)) {
    const other = row.kind === "fields" ? otherKind(row.fields, "ranking") : "";
    const fail = (detail: string): FormatError =>
      new FormatError(`${path}, row ${row.fileRow}: ${detail}${other}`, {
        hint: "A ranking has columns id and score, as culprit rank --out writes them; rows count from 0.",
      });
    if (row.kind === "broken") throw fail(row.detail);
    const behavior = toName(ownField(row.fields, "behavior"));
    const layer = toName(ownField(row.fields, "layer"));
    const id = toName(ownField(row.fields, "id"));
    if (id === "") throw fail("id: expected a name");
    if (other !== "" && ownField(row.fields, "score") === undefined) {
      throw fail("score: expected a number or nothing, got no such column");
    }
    const key = JSON.stringify([behavior, layer]);
    let table = tables.get(key);
    if (table === undefined) {
      tables.set(key, (table = { behavior, layer, ids: [], seen: new Set(), scores: [] }));
    }
    if (table.seen.has(id)) throw fail(`the id "${id}" occurs twice`);
    table.seen.add(id);
    table.ids.push(id);
    table.scores.push(readScore(ownField(row.fields, "score"), fail));
  }
  if (tables.size === 0) throw new FormatError(`${path}: expected a ranking, got no rows`);
  return [...tables.values()].map(({ behavior, layer, ids, scores }) => ({
    behavior,
    layer,
    ids,
    scores: Float32Array.from(scores),
  }));
}

/**
 * Ids of the planted pairs: every id of the file, or where a `column` is named, the ids of the pairs of a pair file whose value there
 * is true (or 1). Throws FormatError or ConfigError where there are none.
 */
export async function readPlanted(path: string, column?: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  if (column === undefined) {
    for await (const row of readRows(path)) {
      const id = row.kind === "fields" ? toName(ownField(row.fields, "id")) : "";
      if (id === "") {
        throw new FormatError(`${path}, row ${row.fileRow}: expected {"id"} of a planted pair`, {
          hint: "Of a pair file, name the column that says which pairs are planted: --planted-column.",
        });
      }
      ids.add(id);
    }
  } else {
    const pairs = await openPairs([path], { keepColumns: [column] });
    for await (const pair of pairs.read()) {
      if (pair.kind !== "pair") continue;
      const value = pair.columns[column];
      if (value === true || value === 1 || value === "true") ids.add(pair.id);
    }
  }
  if (ids.size > 0) return ids;
  throw new ConfigError(`${path}: expected planted pairs, got none`);
}

/**
 * Which pairs of a ranking are planted, [N], and how many planted ids it lacks (rows without a vector, or pairs left out). Throws
 * ConfigError where it has none of them.
 */
export function markPlanted(
  { ids }: Pick<RankingTable, "ids">,
  planted: ReadonlySet<string>,
): { readonly isPlanted: readonly boolean[]; readonly absent: number } {
  const isPlanted = ids.map((id) => planted.has(id));
  const found = isPlanted.filter(Boolean).length;
  if (found > 0) return { isPlanted, absent: planted.size - found };
  throw new ConfigError(`planted pairs: expected ids of the ranking, got none of ${planted.size}`, {
    hint: "Ranking and planted ids must come from the same pairs.",
  });
}

function toName(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return typeof value === "string" ? value : "";
}

function readScore(value: unknown, fail: (detail: string) => FormatError): number {
  if (value === null || value === undefined || value === "") return Number.NaN;
  const score = typeof value === "string" ? Number(value) : value;
  if (typeof score === "number" && Number.isFinite(score)) return score;
  throw fail("score: expected a number or nothing");
}
