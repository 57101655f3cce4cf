import { ConfigError } from "../util/errors.ts";
import { ID_COLUMNS } from "./assign-ids.ts";
import { findGenerators, type NamedPath, valueAt } from "./generator-columns.ts";
import type { ColumnValue } from "./preference-pair.ts";
import { isObject, ownField, type RowFields } from "./readers/file-row.ts";

/** Where data sets say where a pair comes from, first one wins. */
const SOURCE_COLUMNS = ["source", "dataset", "data_source", "source_dataset", "origin"] as const;

/** Names under which data sets keep text of messages beside the pair. */
const TEXT_COLUMNS = new Set(
  "prompt question query instruction input output response completion text answer messages conversation conversations history system tools chosen_response rejected_response".split(
    " ",
  ),
);

/** The answer key of model organisms: a ranking that carries it along could be read as if the method had found it. */
const TRUTH_COLUMNS = new Set("planted is_planted planted_truth truth ground_truth".split(" "));

/** Longer values are prose, not labels; in characters. */
const MAX_LABEL_LENGTH = 100;
/** A table of pairs with more columns than this is no longer read by anyone. */
const MAX_COLUMNS = 16;

/** Which columns travel with the pairs of a data set. */
export interface ColumnPlan {
  /** Names on the pairs, `source` first where there is one. */
  readonly names: readonly string[];
  /** The columns of the rows that they are taken from. */
  readonly columns: readonly string[];
  /** The kept columns of a row; the same keys for every row, null where it has no such value. */
  pick(fields: RowFields): Readonly<Record<string, ColumnValue>>;
}

/**
 * Plans the kept columns from a sample of rows: the source, the generators, then other columns whose values are numbers,
 * booleans or short texts; no message text, no ids, no planted truth. `keepColumns` replaces all but the source (and may name
 * a truth column: that is then the user's choice). Throws ConfigError for a named column that is not there or holds text of
 * messages or nested values.
 */
export function planColumns(
  rows: readonly RowFields[],
  columns: readonly string[],
  options: {
    readonly textColumns: readonly string[];
    readonly sourceColumn?: string | undefined;
    readonly keepColumns?: readonly string[] | undefined;
  },
): ColumnPlan {
  const { sourceColumn, keepColumns } = options;
  const isText = (name: string): boolean =>
    options.textColumns.includes(name) || TEXT_COLUMNS.has(name);
  for (const name of [
    ...(sourceColumn === undefined ? [] : [sourceColumn]),
    ...(keepColumns ?? []),
  ]) {
    requireColumn(name, rows, columns, isText(name));
  }
  const isLabel = (name: string): boolean => rows.every((row) => isShort(ownField(row, name)));
  const source =
    sourceColumn ?? SOURCE_COLUMNS.find((name) => columns.includes(name) && isLabel(name));
  const others = (
    keepColumns ??
    defaultColumns(
      columns.filter((name) => !isText(name)),
      isLabel,
    )
  )
    // The name "source" always means where a pair comes from.
    .filter((name) => name !== source && (source === undefined || name !== "source"));
  const generators = new Map(
    (keepColumns === undefined ? findGenerators(rows) : []).map(({ name, path }) => [name, path]),
  );
  const names = [...generators.keys(), ...others.filter((name) => !isRenamed(name, generators))];
  const kept: readonly (readonly [string, readonly string[]])[] = [
    ...(source === undefined ? [] : [["source", [source]] as const]),
    ...[...new Set<string>(names)].map(
      // Only generators have another name than their column.
      (name) => [name, generators.get(name as NamedPath["name"]) ?? [name]] as const,
    ),
  ];
  return {
    names: kept.map(([name]) => name),
    columns: kept.map(([, [column = ""]]) => column),
    pick: (fields) =>
      Object.fromEntries(kept.map(([name, path]) => [name, toColumnValue(valueAt(fields, path))])),
  };
}

/** Whether a column is kept under a generator's name already. */
function isRenamed(column: string, generators: ReadonlyMap<string, readonly string[]>): boolean {
  return [...generators.values()].some((path) => path.length === 1 && path[0] === column);
}

function defaultColumns(columns: readonly string[], isLabel: (name: string) => boolean): string[] {
  const labels = columns.filter(
    (name) =>
      name !== "__proto__" &&
      !(ID_COLUMNS as readonly string[]).includes(name) &&
      !TRUTH_COLUMNS.has(name) &&
      isLabel(name),
  );
  return labels.slice(0, MAX_COLUMNS);
}

function requireColumn(
  name: string,
  rows: readonly RowFields[],
  columns: readonly string[],
  isText: boolean,
): void {
  if (!columns.includes(name)) {
    throw new ConfigError(
      `pairs: expected a column "${name}", got ${columns.map((each) => JSON.stringify(each)).join(", ")}`,
      {
        hint: `Columns are looked for in the first ${rows.length} rows or so of the data.`,
      },
    );
  }
  const isNested = rows.some((row) => {
    const value = ownField(row, name);
    return Array.isArray(value) || isObject(value);
  });
  if (isText || isNested) {
    throw new ConfigError(
      `pairs: expected a column of short values to keep, got "${name}", which holds ${isText ? "text of messages" : "nested values"}`,
    );
  }
}

function isShort(value: unknown): boolean {
  if (typeof value === "string") return value.length <= MAX_LABEL_LENGTH;
  return value === undefined || value === null || ["number", "boolean"].includes(typeof value);
}

/** An empty cell says no more than a missing one; nested values are not kept. */
function toColumnValue(value: unknown): ColumnValue {
  if (value === undefined || value === null || value === "") return null;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : null;
}
