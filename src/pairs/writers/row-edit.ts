import { UnsupportedError } from "../../util/errors.ts";
import type { FileRow, ReadOptions } from "../readers/file-row.ts";
import type { SideColumns } from "../shapes/side-columns.ts";

/** What becomes of one row. */
export type RowEdit =
  | { readonly kind: "drop" }
  | {
      readonly kind: "keep";
      /** Written into the id column; undefined where the row keeps what it has there. */
      readonly id: string | undefined;
      readonly isSwapped: boolean;
    };

/** What becomes of one file. */
export interface FileEdit {
  /** By 0-based number of the row in the file. */
  readonly editOf: (fileRow: number) => RowEdit;
  /** Where ids are written; undefined where no row of this file needs one. */
  readonly idColumn: string | undefined;
  /** The columns that change places in swapped rows. */
  readonly sides: readonly SideColumns[];
}

/** The pieces of an edited text file, in order; compression and writing are the caller's. */
export type TextWriter = (
  path: string,
  edit: FileEdit,
  options: ReadOptions,
) => AsyncIterable<Buffer | string>;

/** The bytes of a row that stays. Throws UnsupportedError for one that was too long to hold, or is not there. */
export function requireBytes(path: string, row: FileRow): Buffer {
  if (row.bytes !== undefined) return row.bytes;
  const detail = row.kind === "broken" ? row.detail : "no text";
  throw new UnsupportedError(
    `${path}, row ${row.fileRow}: expected a row that can be copied, got ${detail}`,
    {
      hint: "Mend or remove the row first.",
    },
  );
}
