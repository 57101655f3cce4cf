import type { PairSet } from "../pairs/open-pairs.ts";
import { isObject } from "../pairs/readers/file-row.ts";
import { SHAPES } from "../pairs/shapes/shapes.ts";
import { findSideColumns, type SideColumns } from "../pairs/shapes/side-columns.ts";
import { type IdColumnFinder, createIdColumnFinder } from "../pairs/written-ids.ts";
import { UnsupportedError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { createPairTableBuilder, type PairTable } from "./pair-table.ts";

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
  };
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
