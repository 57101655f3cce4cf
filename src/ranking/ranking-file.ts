/** @file Reads rankings back: what quality is measured of, and what an edit takes its pairs from. */
import { z } from "zod";

import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { detectFormat, readRows } from "../pairs/readers/read-rows.ts";
import { otherKind } from "../pairs/row-kind.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { PAIRS_HASH_NOTE } from "./write-ranking.ts";

/** Pairs in an order, best first. */
export interface Ranking {
  /** Each once, best first; those without a score last. */
  readonly ids: readonly string[];
  /** In the order of `ids`, not rising; NaN where a pair has none. */
  readonly scores: Float64Array;
  /** How many have a score. */
  readonly scored: number;
  /** Ids of the pairs that were not to be scored, being no candidates: among those without a score. Default: none. */
  readonly others?: readonly string[] | undefined;
  /** True for a file of ranks alone: `scores` then are their negatives. */
  readonly isRanksOnly?: boolean | undefined;
  /** Undefined for a ranking that is not from a file. */
  readonly file?: RankingFile | undefined;
}

export const rankingFileSchema = z.strictObject({
  path: z.string(),
  sha256: z.string(),
  method: z.string().optional(),
  behavior: z.string().optional(),
  layer: z.int().optional(),
  /** Content hash of the pairs that were ranked; absent where the file does not say. */
  pairsHash: z.string().optional(),
});

/** Where a ranking was read, and which of a file that holds several. */
export type RankingFile = z.output<typeof rankingFileSchema>;

/** What tells the rankings of a file apart; undefined where the file does not say. */
const KEYS = ["method", "behavior", "layer"] as const;
export type RankingKind = Pick<RankingFile, (typeof KEYS)[number]>;

/**
 * Reads the rankings of a file (Parquet, JSONL or CSV) with the columns `id` and `rank` or `score`, as `culprit rank` writes it, one for
 * each method, behaviour and layer. Where there is a rank it decides, and may not disagree with the score; otherwise the score does,
 * equal scores in the file's order. Throws FormatError naming the row of what is no ranking.
 */
export async function readRankings(
  path: string,
  { signal }: JobOptions = {},
): Promise<readonly (Ranking & { readonly file: RankingFile })[]> {
  const found = new Map<string, { readonly kind: RankingKind; readonly rows: RankedRow[] }>();
  for await (const row of readRows(path, { signal })) {
    if (row.kind === "broken") throw problem(path, row.fileRow, row.detail);
    const { fields } = row;
    const kind = {
      method: textOf(fields, "method"),
      behavior: textOf(fields, "behavior"),
      layer: numberOf(fields, "layer"),
    };
    const key = JSON.stringify(kind);
    const ranking = found.get(key) ?? { kind, rows: [] };
    found.set(key, ranking);
    ranking.rows.push(readRow(fields, path, row.fileRow));
  }
  if (found.size === 0) throw new FormatError(`${path}: expected a ranking, got no rows`);
  const sha256 = await hashFile(path);
  const pairsHash = await readPairsHash(path);
  return [...found.values()].map(({ kind, rows }) => ({
    ...orderRows(rows, path),
    isRanksOnly: rows.every(({ isScored }) => !isScored),
    others: rows.flatMap(({ isOther, id }) => (isOther === true ? [id] : [])),
    file: { path, sha256, ...kind, pairsHash },
  }));
}

/** Reads the one ranking of a file that is asked for. Throws ConfigError where it holds several such, or none. */
export async function readRanking(
  path: string,
  asked: RankingKind & JobOptions = {},
): Promise<Ranking> {
  const all = await readRankings(path, asked);
  const fitting = all.filter(({ file }) =>
    // A file with one behaviour does not name it.
    KEYS.every(
      (key) => asked[key] === undefined || file[key] === undefined || file[key] === asked[key],
    ),
  );
  const [ranking] = fitting;
  if (ranking !== undefined && fitting.length === 1) return ranking;
  const several = KEYS.filter((key) => new Set(all.map(({ file }) => file[key])).size > 1);
  const names = (ranking === undefined ? all : fitting).map(({ file }) =>
    several.map((key) => `${key} ${typeof file[key] === "string" ? quote(file[key]) : file[key]}`),
  );
  const shown = names.slice(0, 10).map((parts) => parts.join(", "));
  throw new ConfigError(
    `${path}: expected one ranking, got ${ranking === undefined ? `none of that ${KEYS.join(", ")}` : fitting.length}`,
    {
      hint: `Name one of: ${shown.join("; ")}${names.length > shown.length ? "; …" : ""}, with --ranking-method, --ranking-behavior and --ranking-layer.`,
    },
  );
}

/** Makes a ranking from scores: higher first, equal ones in the given order, NaN (no score) last. Throws FormatError for an id twice. */
export function createRanking(ids: readonly string[], scores: ArrayLike<number>): Ranking {
  const rows = ids.map((id, row) => ({ id, score: scores[row] ?? Number.NaN, row }));
  return orderRows(rows, "ranking");
}

interface RankedRow {
  readonly id: string;
  readonly score: number;
  readonly rank?: number | undefined;
  /** Its file has scores. */
  readonly isScored?: boolean | undefined;
  /** It was not to be scored. */
  readonly isOther?: boolean | undefined;
  /** Within the file. */
  readonly row: number;
}

function readRow(fields: RowFields, path: string, row: number): RankedRow {
  const fail = (detail: string): FormatError => problem(path, row, detail);
  const id = ownField(fields, "id");
  if (!["string", "number", "bigint"].includes(typeof id) || id === "") {
    throw fail(`expected an id, got none${otherKind(fields, "ranking")}`);
  }
  const hasScore = Object.hasOwn(fields, "score");
  const rank = numberOf(fields, "rank");
  const score = numberOf(fields, "score");
  if (rank === undefined && !hasScore) {
    throw fail(`expected a rank or a score, got neither${otherKind(fields, "ranking")}`);
  }
  if (score === undefined && !isBlank(ownField(fields, "score"))) {
    throw fail("score: expected a number or nothing");
  }
  // A ranking without scores orders by rank alone: every pair then counts as scored.
  return {
    id: String(id),
    rank,
    row,
    isScored: hasScore,
    isOther: isFalse(ownField(fields, "candidate")),
    score: score ?? (hasScore ? Number.NaN : -rank!),
  };
}

function orderRows(rows: readonly RankedRow[], path: string): Omit<Ranking, "file"> {
  const isRanked = rows.every(({ rank }) => rank !== undefined);
  const sorted = rows.toSorted((a, b) => {
    if (isRanked) return a.rank! - b.rank!;
    if (Number.isNaN(a.score) || Number.isNaN(b.score)) {
      return Number(Number.isNaN(a.score)) - Number(Number.isNaN(b.score));
    }
    return b.score - a.score;
  });
  expectOnce(rows, path);
  for (const [i, { id, rank, score }] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before === undefined) continue;
    if (isRanked && before.rank === rank) {
      throw new FormatError(`${path}: expected every rank once, got ${rank} twice`);
    }
    if (before.score < score || (Number.isNaN(before.score) && !Number.isNaN(score))) {
      throw new FormatError(
        `${path}: expected scores that fall with the rank, got a higher one at rank ${rank} (${quote(id)})`,
        { hint: "Rank again, or leave out the column that is not meant." },
      );
    }
  }
  const scores = Float64Array.from(sorted, ({ score }) => score);
  const firstMissing = scores.findIndex((score) => Number.isNaN(score));
  return {
    ids: sorted.map(({ id }) => id),
    scores,
    scored: firstMissing === -1 ? scores.length : firstMissing,
  };
}

function expectOnce(rows: readonly RankedRow[], path: string): void {
  const seen = new Set<string>();
  for (const { id, row } of rows) {
    if (seen.has(id)) throw problem(path, row, `expected every id once, got ${quote(id)} twice`);
    seen.add(id);
  }
}

/** Parquet rankings carry the content hash of what was ranked; other formats have no place for it. */
async function readPairsHash(path: string): Promise<string | undefined> {
  if ((await detectFormat(path)) !== "parquet") return undefined;
  const { readParquetNote } = await import("../pairs/readers/parquet.ts");
  return readParquetNote(path, PAIRS_HASH_NOTE);
}

function textOf(fields: RowFields, name: string): string | undefined {
  const value = ownField(fields, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number, also from a CSV cell; undefined for an empty one and for words. */
function numberOf(fields: RowFields, name: string): number | undefined {
  const value = ownField(fields, name);
  const number = isBlank(value) ? Number.NaN : Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** Also as CSV has it. */
const isFalse = (value: unknown): boolean => value === false || value === "false";

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function problem(path: string, row: number, detail: string): FormatError {
  return new FormatError(`${path}, row ${row}: ${detail}`, {
    hint: "A ranking has columns id and score, as culprit rank --out writes them; rows count from 0.",
  });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
