import type { PairSet } from "../pairs/open-pairs.ts";
import type { PreferencePair, UnusableRow } from "../pairs/preference-pair.ts";
import { isObject, ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { saysNothing } from "../pairs/shapes/row-context.ts";
import { SHAPES } from "../pairs/shapes/shapes.ts";
import { findSideColumns, type SideColumns } from "../pairs/shapes/side-columns.ts";
import { createIdColumnFinder, type IdColumnFinder } from "../pairs/written-ids.ts";
import { chooseGroupColumn, groupName } from "../ranking/group-column.ts";
import { ConfigError, UnsupportedError } from "../util/errors.ts";
import { canonicalJson } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { type EditedPairs, swappedIds } from "./edit.ts";

/** What one reading of a data set tells about editing it; kept for any number of edits. */
export interface PairSurvey {
  readonly pairs: PairSet;
  readonly table: PairTable;
  /** The id of each row, undefined for unusable ones; over all files. */
  readonly ids: readonly (string | undefined)[];
  readonly unusable: number;
  readonly files: readonly SurveyedFile[];
  /** The columns that belong to a side, over all files. */
  readonly sides: readonly SideColumns[];
  /** Columns whose values hold such columns inside, which no file writer can exchange. */
  readonly nestedSides: readonly string[];
  /** Other columns that repeat the text of a side (UltraFeedback's `messages`), by number of pairs: a swap leaves them as they are. */
  readonly copies: ReadonlyMap<string, number>;
}

/** One file of a surveyed data set. */
export interface SurveyedFile {
  readonly path: string;
  /** Row number of its first row over all files. */
  readonly firstRow: number;
  readonly rows: number;
  /** Where ids are written; undefined where every row brings its own. */
  readonly idColumn?: string | undefined;
  /** Rows, numbered within the file, whose id is written: all usable ones where ids that are numbers become text. */
  readonly idRows: ReadonlySet<number>;
}

/**
 * Reads a data set once: ids, groups by the column `by` (default `source`), and how each file can carry the ids. Throws
 * ConfigError for a column that the pairs do not carry, UnsupportedError where no column can take ids.
 */
export async function surveyPairs(
  pairs: PairSet,
  options: JobOptions & { readonly by?: string | undefined } = {},
): Promise<PairSurvey> {
  const { by, signal, progress } = options;
  const builder = createPairTableBuilder({ by, contentHash: pairs.contentHash });
  const ids: (string | undefined)[] = [];
  const columns = new Set<string>();
  const nestedSides = new Set<string>();
  const copies = new Map<string, number>();
  const files = new Map(pairs.files.map(({ path }) => [path, createFileSurvey()]));
  for await (const { pair, fields } of pairs.readWithFields({ signal })) {
    const file = files.get(pair.file)!;
    file.rows++;
    ids.push(pair.kind === "pair" ? pair.id : undefined);
    progress?.update(ids.length, undefined);
    if (pair.kind !== "pair" || fields === undefined) continue;
    builder.add(pair);
    for (const [name, value] of Object.entries(fields)) {
      columns.add(name);
      if (isObject(value) && findSideColumns(Object.keys(value)).length > 0) nestedSides.add(name);
    }
    for (const name of columnsLikeSide(fields)) copies.set(name, (copies.get(name) ?? 0) + 1);
    if (file.finder.add(fields, pair.id)) file.idRows.add(pair.fileRow);
  }
  const table = builder.finish();
  let firstRow = 0;
  const surveyed = [...files].map(([path, file]): SurveyedFile => {
    const { rows, finder, idRows } = file;
    const idColumn = finder.needsIds() ? requireIdColumn(path, finder) : undefined;
    if (idColumn !== undefined && finder.hasNumbers()) {
      for (let row = 0; row < rows; row++) if (ids[firstRow + row] !== undefined) idRows.add(row);
    }
    firstRow += rows;
    return { path, firstRow: firstRow - rows, rows, idColumn, idRows };
  });
  return {
    pairs,
    table,
    ids,
    unusable: ids.length - table.ids.length,
    files: surveyed,
    sides: SHAPES[pairs.shape].swap([...columns]),
    nestedSides: [...nestedSides],
    copies,
  };
}

/** What a swap leaves behind in columns that are no sides. */
export function copyWarnings(
  { copies }: Pick<PairSurvey, "copies">,
  edit: EditedPairs,
): readonly string[] {
  if (swappedIds(edit).length === 0) return [];
  return [...copies].map(
    ([name, pairs]) =>
      `column "${name}" repeats a side in ${pairs} pairs and a swap leaves it as it is: in swapped rows it holds the side of before. Do not train on it.`,
  );
}

/** Columns beside the sides that hold all that a side holds. */
function columnsLikeSide(fields: RowFields): readonly string[] {
  const sides = new Set(
    findSideColumns(Object.keys(fields)).flatMap(({ chosen, rejected }) => [chosen, rejected]),
  );
  const texts = ["chosen", "rejected"].flatMap((name) => {
    const value = ownField(fields, name);
    return saysNothing(value) ? [] : [canonicalJson(value)];
  });
  return Object.entries(fields).flatMap(([name, value]) => {
    const isText = typeof value === "string" || (typeof value === "object" && value !== null);
    return isText && !sides.has(name) && texts.includes(canonicalJson(value)) ? [name] : [];
  });
}

function createFileSurvey(): { rows: number; finder: IdColumnFinder; idRows: Set<number> } {
  return { rows: 0, finder: createIdColumnFinder(), idRows: new Set() };
}

function requireIdColumn(path: string, finder: IdColumnFinder): string {
  const column = finder.column();
  if (column !== undefined) return column;
  throw new UnsupportedError(
    `${path}: expected id, pair_id or uuid to be free for ids, got columns of those names that hold something else`,
    { hint: "Rename them, or give every row an id of its own." },
  );
}

/** What choosing pairs for an edit needs to know of a data set; N usable pairs in its order, no text. */
export interface PairTable {
  /** [N], each once. */
  readonly ids: readonly string[];
  /** The group of each pair, [N]: its value in the column `by`; one group where there is none. */
  readonly groups: readonly string[];
  /** The kept column that groups are about: `source` by default, undefined where the pairs have none. */
  readonly by?: string | undefined;
  /** Content hash of the data set, where known. */
  readonly contentHash?: string | undefined;
}

/**
 * Collects ids and groups of the pairs, unusable rows left out. Throws ConfigError for a column that the pairs do not carry
 * and where no pair is usable.
 */
export async function readPairTable(
  rows: AsyncIterable<PreferencePair | UnusableRow> | Iterable<PreferencePair | UnusableRow>,
  options: { readonly by?: string | undefined; readonly contentHash?: string | undefined } = {},
): Promise<PairTable> {
  const builder = createPairTableBuilder(options);
  for await (const row of rows) if (row.kind === "pair") builder.add(row);
  return builder.finish();
}

/** A pair table that is filled while something else reads the rows. */
export function createPairTableBuilder(options: {
  readonly by?: string | undefined;
  readonly contentHash?: string | undefined;
}): { add(pair: PreferencePair): void; finish(): PairTable } {
  const ids: string[] = [];
  const groups: string[] = [];
  // One string for each group, not one for each pair.
  const names = new Map<string, string>();
  let by: string | undefined;
  return {
    add(pair) {
      if (ids.length === 0) by = chooseGroupColumn(Object.keys(pair.columns), options.by);
      const group = groupName(by === undefined ? null : (pair.columns[by] ?? null));
      const known = names.get(group) ?? group;
      names.set(known, known);
      ids.push(pair.id);
      groups.push(known);
    },
    finish() {
      if (ids.length === 0) throw new ConfigError("pairs: expected usable pairs, got none");
      return { ids, groups, by, contentHash: options.contentHash };
    },
  };
}
