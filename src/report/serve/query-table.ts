/** @file Queries of the table of pairs, answered by the database. */
import type { DuckDBValue } from "@duckdb/node-api";

import { rounded } from "../pair-table.ts";
import { PAIR_FLAGS, type PairQuery, type PairRow } from "../report-source.ts";
import type { Cell, PairDatabase } from "./pair-database.ts";
import type { RankedTable } from "./ranked-table.ts";

/** Lists of so many queries are kept. */
const KEPT = 8;

/** The pairs that fit a query, in the order asked for. */
export interface FoundPairs {
  readonly count: number;
  rows(start: number, end: number): Promise<readonly PairRow[]>;
  /** Position of a pair in the list, -1 where it is not in it. */
  indexOf(id: string): Promise<number>;
}

/**
 * Answers queries on a table. Of a query the places of its pairs are found once, in an order that ties cannot change, and kept: 4 bytes a
 * pair. Pages are cut out of them, never by OFFSET, by which tied pairs come twice or not at all.
 */
export function createTableQueries(
  database: PairDatabase,
  table: RankedTable,
): (query: PairQuery) => Promise<FoundPairs> {
  const kept = new Map<string, Promise<Int32Array>>();
  const placesOf = (query: PairQuery): Promise<Int32Array> => {
    const { sql, values } = selectPlaces(table, query);
    const key = JSON.stringify([sql, values]);
    const known = kept.get(key) ?? findPlaces(database, sql, values);
    kept.delete(key);
    kept.set(key, known);
    known.catch(() => kept.delete(key));
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
    return known;
  };
  return async (query) => {
    const places = await placesOf(query);
    return {
      count: places.length,
      rows: (start, end) => readRows(database, table, places.subarray(start, Math.max(start, end))),
      indexOf: async (id) => {
        const [found] = await database.rows(`SELECT place FROM ${table.name} WHERE id = $1`, [id]);
        return found === undefined ? -1 : places.indexOf(Number(found[0]));
      },
    };
  };
}

/** What is searched. */
const WORDS = "lower(concat(id, ' ', coalesce(source, ''), ' ', preview))";

/** Pairs without what is sorted by come last either way, tied ones in the order of the first ranking. */
function selectPlaces(
  { name, summary }: RankedTable,
  { method, search = "", source, ids, flag, min, max, sort, isDescending }: PairQuery,
): { readonly sql: string; readonly values: readonly DuckDBValue[] } {
  const values: DuckDBValue[] = [];
  const value = (each: DuckDBValue): string => `$${values.push(each)}`;
  const m = method < summary.methods.length ? method : 0;
  const where = [
    ...search
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => `contains(${WORDS}, lower(${value(word)}))`),
    ...(source === undefined ? [] : [`source = ${value(source)}`]),
    ...(ids === undefined ? [] : [`id IN (${ids.split("\n").map(value).join(", ")})`]),
    ...(flag === undefined ? [] : [`flag${PAIR_FLAGS.indexOf(flag)}`]),
    ...(min === undefined ? [] : [`score${m} >= ${value(min)}`]),
    ...(max === undefined ? [] : [`score${m} <= ${value(max)}`]),
  ];
  const key = { rank: `rank${m}`, score: `score${m}`, source: "source", norm: "norm", id: "id" }[
    sort
  ];
  const order = `${key} ${isDescending ? "DESC" : "ASC"} NULLS LAST, place`;
  const filter = where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`;
  return { sql: `SELECT place FROM ${name}${filter} ORDER BY ${order}`, values };
}

async function findPlaces(
  database: PairDatabase,
  sql: string,
  values: readonly DuckDBValue[],
): Promise<Int32Array> {
  const parts: Int32Array[] = [];
  await database.stream(sql, values, ([column]) => parts.push(Int32Array.from(column as number[])));
  const places = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let first = 0;
  for (const part of parts) {
    places.set(part, first);
    first += part.length;
  }
  return places;
}

async function readRows(
  database: PairDatabase,
  { name, summary: { methods } }: RankedTable,
  places: Int32Array,
): Promise<readonly PairRow[]> {
  if (places.length === 0) return [];
  const [first = 0] = places;
  const isRun = places.every((at, i) => at === first + i);
  const where = isRun
    ? `place BETWEEN ${first} AND ${first + places.length - 1}`
    : `place IN (${places.join(", ")})`;
  const columns = methods.map((_, i) => `score${i}, rank${i}, winner${i}`).join(", ");
  const flags = PAIR_FLAGS.map((_, i) => `flag${i}`).join(", ");
  const found = await database.rows(
    `SELECT place, id, source, preview, norm, ${flags}, ${columns} FROM ${name} WHERE ${where}`,
  );
  const rows = new Map(
    found.map((row) => {
      const [at, id, source, preview, norm] = row;
      const own = row.slice(5 + PAIR_FLAGS.length);
      const made: PairRow = {
        id: String(id),
        source: textOf(source),
        preview: String(preview),
        norm: numberOf(norm),
        flags: PAIR_FLAGS.filter((_, i) => row[5 + i] === true),
        places: methods.map(({ scored }, i) => {
          const [score, rank, winner] = own.slice(3 * i);
          return {
            score: numberOf(score),
            rank: typeof rank === "number" ? rank : undefined,
            percentile: typeof rank !== "number" ? undefined : (100 * (scored - rank)) / scored,
            winner: textOf(winner),
          };
        }),
      };
      return [Number(at), made] as const;
    }),
  );
  return Array.from(places, (at) => rows.get(at)!); // of the same table
}

const textOf = (value: Cell | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value);

const numberOf = (value: Cell | undefined): number | undefined =>
  value === null || value === undefined ? undefined : (rounded(Number(value)) ?? undefined);
