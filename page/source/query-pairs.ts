/** @file Answers queries from the table of pairs in memory. */
import type { PairTable } from "../../src/report/pair-table.ts";
import { PAIR_FLAGS } from "../../src/report/report-source.ts";
import type { PairList, PairQuery, PairRow } from "../../src/report/report-source.ts";

/** The rows that fit, in the order asked for; pairs without what is sorted by come last. */
export function queryPairs(table: PairTable, query: PairQuery): PairList {
  const places = Array.from(table.ids.keys()).filter(fits(table, query));
  const key = sortKey(table, query);
  const made: PairRow[] = [];
  const sign = query.isDescending ? -1 : 1;
  places.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === right) return a - b;
    if (left === null) return 1;
    if (right === null) return -1;
    return left < right ? -sign : sign;
  });
  return {
    count: places.length,
    // The same row is the same object, so that a table draws again only what is new.
    rows: (start, end) => places.slice(start, end).map((at) => (made[at] ??= rowAt(table, at))),
    indexOf: (id) => places.indexOf(table.ids.indexOf(id)),
  };
}

function fits(table: PairTable, query: PairQuery): (at: number) => boolean {
  const words = (query.search ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const nameAt = (at: number): string | undefined => table.summary.sources[table.sources[at]!];
  const bit = query.flag === undefined ? 0 : 1 << PAIR_FLAGS.indexOf(query.flag);
  const scores = table.scores[query.method] ?? [];
  const { min = -Infinity, max = Infinity } = query;
  const only = query.ids === undefined ? undefined : new Set(query.ids.split("\n"));
  const isBetween = query.min !== undefined || query.max !== undefined;
  return (at) => {
    if (query.source !== undefined && nameAt(at) !== query.source) return false;
    if (only?.has(table.ids[at]!) === false) return false;
    if (bit !== 0 && (table.flags[at]! & bit) === 0) return false;
    const score = scores[at] ?? null;
    if (isBetween && (score === null || score < min || score > max)) return false;
    if (words.length === 0) return true;
    const text = `${table.ids[at]} ${nameAt(at) ?? ""} ${table.previews[at]}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function sortKey(
  table: PairTable,
  { sort, method }: PairQuery,
): (at: number) => number | string | null {
  switch (sort) {
    case "rank":
      return (at) => table.ranks[method]?.[at] ?? null;
    case "score":
      return (at) => table.scores[method]?.[at] ?? null;
    case "source":
      return (at) => table.summary.sources[table.sources[at]!] ?? null;
    case "norm":
      return (at) => table.norms[at]!;
    case "id":
      return (at) => table.ids[at]!;
  }
}

function rowAt(table: PairTable, at: number): PairRow {
  const { summary } = table;
  return {
    id: table.ids[at]!,
    source: summary.sources[table.sources[at]!],
    preview: table.previews[at]!,
    norm: table.norms[at] ?? undefined,
    flags: PAIR_FLAGS.filter((_, i) => (table.flags[at]! & (1 << i)) !== 0),
    places: summary.methods.map(({ scored }, m) => {
      const rank = table.ranks[m]![at] ?? undefined;
      return {
        score: table.scores[m]![at] ?? undefined,
        rank,
        percentile: rank === undefined ? undefined : (100 * (scored - rank)) / scored,
        winner: table.winnerNames[table.winners[m]?.[at] ?? -1],
      };
    }),
  };
}
