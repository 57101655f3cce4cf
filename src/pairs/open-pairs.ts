/**
 * @file Opens preference pairs: which files, which shape, which columns, decided once from a sample; then read as often as
 * needed, streaming. Nothing here holds more than one row and the ids given so far.
 */
import { stat } from "node:fs/promises";

import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { createIdAssigner, ID_COLUMNS, ID_RULES_VERSION } from "./assign-ids.ts";
import { detectShape, requireOneShape } from "./detect-shape.ts";
import { expandPatterns, type ResolveRemote } from "./expand-patterns.ts";
import { type ColumnPlan, planColumns } from "./keep-columns.ts";
import type { PreferencePair, UnusableRow } from "./preference-pair.ts";
import type { FileRow, ReadOptions, RowFields } from "./readers/file-row.ts";
import { readRows } from "./readers/read-rows.ts";
import { sampleRows } from "./sample-rows.ts";
import { checkPair } from "./shapes/check-pair.ts";
import { readRow } from "./shapes/read-row.ts";
import { CONTEXT_COLUMNS } from "./shapes/row-context.ts";
import { RowProblem } from "./shapes/shape.ts";
import { type PairShape, SHAPES } from "./shapes/shapes.ts";

/** One file of a data set. */
export const dataFileSchema = z.strictObject({
  /** As the user named it, or as the glob expanded. */
  path: z.string(),
  sha256: z.string(),
  sizeBytes: countSchema,
});
export type DataFile = Plain<typeof dataFileSchema>;

/** Reads a file for its hash and size. */
export async function describeFile(path: string): Promise<DataFile> {
  return { path, sha256: await hashFile(path), sizeBytes: (await stat(path)).size };
}

/** An opened data set of preference pairs. */
export interface PairSet {
  readonly files: readonly DataFile[];
  readonly shape: PairShape;
  /** How the shape was found, one sentence. */
  readonly shapeReason: string;
  /** The columns kept on every pair, `source` first where the data has one. */
  readonly columns: readonly string[];
  /** Other columns of the first rows, which nothing reads; ids are not among them. */
  readonly columnsNotRead: readonly string[];
  /**
   * Equal for equal files in the same order, read in the same shape and to the same limit by the same rules: then the rows
   * and their ids are equal too. Where the files lie and which columns are kept does not enter.
   */
  readonly contentHash: string;
  /** Every row in order, each time from the start: a pair, or why it is none. */
  read(options?: ReadOptions): AsyncIterable<PreferencePair | UnusableRow>;
  /** The same with the values that the row has in its file; undefined for a broken one. */
  readWithFields(options?: ReadOptions): AsyncIterable<PairWithFields>;
}

/** A row as a pair, and as its file holds it. */
export interface PairWithFields {
  readonly pair: PreferencePair | UnusableRow;
  readonly fields: RowFields | undefined;
}

export interface OpenPairsOptions {
  /** Default: detected from the first rows. */
  readonly shape?: PairShape | undefined;
  /** The column that says where a pair comes from; default: `source`, `dataset` or the like. */
  readonly sourceColumn?: string | undefined;
  /** Columns to keep beside the source; default: generators and short scalar columns. */
  readonly keepColumns?: readonly string[] | undefined;
  /** Reads only the first rows, unusable ones counted; default: all. */
  readonly limit?: number | undefined;
  /** Brings `hf://datasets/…` files onto this machine. */
  readonly resolveRemote?: ResolveRemote | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens JSONL, JSON-array, CSV and Parquet files of preference pairs (patterns: see expandPatterns). Reads every file once for
 * its hash. Throws ConfigError where no file, no row or no single shape is found, FormatError for a damaged file.
 */
export async function openPairs(
  patterns: readonly string[],
  options: OpenPairsOptions = {},
): Promise<PairSet> {
  const { limit, signal } = options;
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new ConfigError(`limit: expected a whole number of at least 1, got ${limit}`);
  }
  const paths = await expandPatterns(patterns, options.resolveRemote);
  const sample = await sampleRows(paths, { signal });
  if (options.shape === undefined) requireOneShape(sample.files);
  const { shape, reason } = detectShape(sample.rows, sample.columns, options.shape);
  const textColumns = [...SHAPES[shape].textColumns, ...CONTEXT_COLUMNS];
  const plan = planColumns(sample.rows, sample.columns, {
    textColumns,
    sourceColumn: options.sourceColumn,
    keepColumns: options.keepColumns,
  });
  const files: DataFile[] = [];
  for (const path of paths) {
    signal?.throwIfAborted();
    files.push(await describeFile(path));
  }
  const hashes = files.map((file) => file.sha256);
  return {
    files,
    shape,
    shapeReason: reason,
    columns: plan.names,
    columnsNotRead: sample.columns.filter(
      (name) => ![...textColumns, ...plan.columns, ...ID_COLUMNS].includes(name),
    ),
    contentHash: hashPairFiles({ files: hashes, shape, limit }),
    async *read(readOptions = {}) {
      const rows = readPairs(paths, shape, plan, limit ?? Infinity, readOptions);
      for await (const { pair } of rows) yield pair;
    },
    readWithFields: (readOptions = {}) =>
      readPairs(paths, shape, plan, limit ?? Infinity, readOptions),
  };
}

async function* readPairs(
  paths: readonly string[],
  shape: PairShape,
  plan: ColumnPlan,
  limit: number,
  options: ReadOptions,
): AsyncGenerator<PairWithFields> {
  const assignId = createIdAssigner();
  let row = 0;
  for (const file of paths) {
    for await (const fileRow of readRows(file, options)) {
      if (row >= limit) return;
      yield {
        pair: readPair(fileRow, { row: row++, file }, { shape, plan, assignId }),
        fields: fileRow.kind === "fields" ? fileRow.fields : undefined,
      };
    }
  }
}

function readPair(
  fileRow: FileRow,
  { row, file }: { readonly row: number; readonly file: string },
  settings: {
    readonly shape: PairShape;
    readonly plan: ColumnPlan;
    readonly assignId: (fields: RowFields, content: unknown) => string;
  },
): PreferencePair | UnusableRow {
  const place = { row, file, fileRow: fileRow.fileRow };
  if (fileRow.kind === "broken") {
    return { kind: "unusable", ...place, reason: fileRow.reason, detail: fileRow.detail };
  }
  const { fields } = fileRow;
  try {
    const { prompt, chosen, rejected, context } = readRow(settings.shape, fields);
    checkPair(prompt, [
      { name: "chosen", turns: chosen },
      { name: "rejected", turns: rejected },
    ]);
    const id = settings.assignId(fields, { prompt, chosen, rejected, context });
    return {
      kind: "pair",
      id,
      ...place,
      prompt,
      chosen,
      rejected,
      ...(context === undefined ? {} : { context }),
      columns: settings.plan.pick(fields),
    };
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    return { kind: "unusable", ...place, reason: error.reason, detail: error.message };
  }
}

/** The content hash of pair files: what is in them (SHA-256 of each) and how they are read. `limit` is undefined where all rows are. */
export const hashPairFiles = (read: {
  readonly files: readonly string[];
  readonly shape: string;
  readonly limit: number | undefined;
}): string => hashValue({ ...read, idRules: ID_RULES_VERSION });
