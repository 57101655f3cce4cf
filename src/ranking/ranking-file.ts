import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { detectFormat, readRows } from "../pairs/readers/read-rows.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
/** @file Reads rankings back: what an edit takes its pairs from. */
import { PAIRS_HASH_NOTE } from "./write-ranking.ts";

/** Pairs in an order, best first. */
export interface Ranking {
  /** Each once, best first; those without a score last. */
  readonly ids: readonly string[];
  /** In the order of `ids`, not rising; NaN where a pair has none. */
  readonly scores: Float64Array;
  /** How many have a score. */
  readonly scored: number;
  /** Undefined for a ranking that is not from a file. */
  readonly file: RankingFile | undefined;
}

/** Where a ranking was read. */
export interface RankingFile {
  readonly path: string;
  readonly sha256: string;
  /** The behaviour and layer taken from a file that holds several. */
  readonly behavior: string | undefined;
  readonly layer: number | undefined;
  /** Content hash of the pairs that were ranked; undefined where the file does not say. */
  readonly pairsHash: string | undefined;
}

export interface ReadRankingOptions extends JobOptions {
  /** Needed where the file holds several. */
  readonly behavior?: string | undefined;
  readonly layer?: number | undefined;
}

/**
 * Reads a ranking (Parquet, JSONL or CSV) with the columns `id` and `rank` or `score`, as `culprit rank` writes it. Where there
 * is a rank it decides, and may not disagree with the score; otherwise the score does, equal scores in the file's order.
 * Throws ConfigError where the file holds several rankings and none is named, FormatError for rows that are no ranking.
 */
export async function readRanking(
  path: string,
  options: ReadRankingOptions = {},
): Promise<Ranking> {
  const rows: RankedRow[] = [];
  const kinds = new Map<string, Pick<RankingFile, "behavior" | "layer">>();
  for await (const row of readRows(path, { signal: options.signal })) {
    if (row.kind === "broken") throw problem(path, row.fileRow, row.detail);
    const kind = { behavior: textOf(row.fields, "behavior"), layer: numberOf(row.fields, "layer") };
    kinds.set(JSON.stringify(kind), kind);
    if (isAsked(kind, options)) rows.push(readRow(row.fields, path, row.fileRow));
  }
  const asked = [...kinds.values()].filter((kind) => isAsked(kind, options));
  const [kind] = asked;
  if (kind === undefined || asked.length > 1) throw notOneRanking(path, asked, [...kinds.values()]);
  const file = {
    path,
    sha256: await hashFile(path),
    ...kind,
    pairsHash: await readPairsHash(path),
  };
  return { ...orderRows(rows, path), file };
}

/** Makes a ranking from scores: higher first, equal ones in the given order, NaN (no score) last. Throws FormatError for an id twice. */
export function createRanking(ids: readonly string[], scores: ArrayLike<number>): Ranking {
  const rows = ids.map((id, i) => ({ id, score: scores[i] ?? Number.NaN, rank: undefined }));
  return { ...orderRows(rows, "ranking"), file: undefined };
}

interface RankedRow {
  readonly id: string;
  readonly score: number;
  readonly rank: number | undefined;
}

function readRow(fields: RowFields, path: string, fileRow: number): RankedRow {
  const id = ownField(fields, "id");
  if ((typeof id !== "string" && typeof id !== "number") || id === "") {
    throw problem(path, fileRow, "expected an id, got none");
  }
  const rank = numberOf(fields, "rank");
  const score = numberOf(fields, "score");
  if (rank === undefined && !Object.hasOwn(fields, "score")) {
    throw problem(path, fileRow, "expected a rank or a score, got neither");
  }
  // A ranking without scores orders by rank alone: every pair then counts as scored.
  return { id: String(id), rank, score: score ?? (Object.hasOwn(fields, "score") ? NaN : -rank!) };
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
  const seen = new Set<string>();
  for (const [i, { id, rank, score }] of sorted.entries()) {
    if (seen.has(id))
      throw new FormatError(`${path}: expected every id once, got ${quote(id)} twice`);
    seen.add(id);
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

function isAsked(
  kind: Pick<RankingFile, "behavior" | "layer">,
  { behavior, layer }: ReadRankingOptions,
): boolean {
  // A file with one behaviour does not name it.
  return (
    (behavior === undefined || kind.behavior === undefined || kind.behavior === behavior) &&
    (layer === undefined || kind.layer === undefined || kind.layer === layer)
  );
}

function notOneRanking(
  path: string,
  asked: readonly Pick<RankingFile, "behavior" | "layer">[],
  all: readonly Pick<RankingFile, "behavior" | "layer">[],
): ConfigError {
  if (all.length === 0) return new ConfigError(`${path}: expected a ranking, got no rows`);
  const names = (asked.length === 0 ? all : asked).map(({ behavior, layer }) =>
    [
      ...(behavior === undefined ? [] : [`behavior ${quote(behavior)}`]),
      ...(layer === undefined ? [] : [`layer ${layer}`]),
    ].join(", "),
  );
  const shown = names.slice(0, 10).join("; ") + (names.length > 10 ? "; …" : "");
  return new ConfigError(
    `${path}: expected one ranking, got ${asked.length === 0 ? "none of that behavior and layer" : `${asked.length}`}`,
    { hint: `Name a behaviour and a layer of: ${shown}.` },
  );
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

/** A number, also from a CSV cell; undefined for an empty one. */
function numberOf(fields: RowFields, name: string): number | undefined {
  const value = ownField(fields, name);
  if (value === undefined || value === null || value === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function problem(path: string, fileRow: number, detail: string): FormatError {
  return new FormatError(`${path}, row ${fileRow}: ${detail}`, {
    hint: "culprit rank --out writes a ranking.",
  });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
