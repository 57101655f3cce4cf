import { ID_COLUMNS, ownId } from "./assign-ids.ts";
import { ownField, type RowFields } from "./readers/file-row.ts";

/** Which column of a file takes the ids that are written into it, found while its rows go by. */
export interface IdColumnFinder {
  /** Tells a usable row, its id, and whether that has to be written because the row does not bring it along. */
  add(fields: RowFields, id: string): boolean;
  /** Undefined where no column can take all ids that have to be written. */
  column(): string | undefined;
  /** Whether any id has to be written. */
  needsIds(): boolean;
  /**
   * Whether numbers in the column have to become text: a written id is text, and most readers want one type in a column.
   */
  hasNumbers(): boolean;
}

/**
 * Makes a finder. An id is written where the row has none of its own (it was given a hash of its content, which an edit may
 * change) and where it repeats another's (the number after `#` counts rows that an edit may remove). It is written into the
 * first of the id columns that is empty or holds the repeated id, so that nothing else is lost.
 */
export function createIdColumnFinder(): IdColumnFinder {
  let possible: readonly string[] = ID_COLUMNS;
  let needsIds = false;
  const numeric = new Set<string>();
  return {
    add(fields, id) {
      const [column] = ID_COLUMNS.filter((name) => isId(ownField(fields, name)));
      if (column !== undefined && typeof fields[column] === "number") numeric.add(column);
      if (ownId(fields) === id) return false;
      needsIds = true;
      // A later column would not be read as the id.
      const last = column === undefined ? ID_COLUMNS.length - 1 : ID_COLUMNS.indexOf(column);
      const free = ID_COLUMNS.filter((name, i) => {
        const value = ownField(fields, name);
        return i <= last && (isId(value) || value === undefined || value === null || value === "");
      });
      possible = possible.filter((name) => (free as readonly string[]).includes(name));
      return true;
    },
    column: () => possible[0],
    needsIds: () => needsIds,
    hasNumbers: () => possible[0] !== undefined && numeric.has(possible[0]),
  };
}

function isId(value: unknown): boolean {
  return ownId({ id: value }) !== undefined;
}
