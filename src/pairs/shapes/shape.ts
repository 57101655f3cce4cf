import type { Message } from "../../format/messages.ts";
import type { UnusableReason } from "../preference-pair.ts";
import type { RowFields } from "../readers/file-row.ts";
import type { SideColumns } from "./side-columns.ts";

/** The turns of one pair, not yet checked against each other. */
export interface PairTurns {
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
  /** What the row says beside them and the shape does not read. */
  readonly unread?: readonly string[] | undefined;
}

/** One way in which data sets write a preference pair down. */
export interface Shape {
  /** What its rows have, completing "the rows have …". */
  readonly describe: string;
  /** The columns it takes messages from; they are never kept beside the pair. */
  readonly textColumns: readonly string[];
  /** Whether a row is built this way; its texts may still be empty, or its roles unknown. */
  matches(fields: RowFields): boolean;
  /** The same where the user named this shape, so that another one need not be told from it; default: `matches`. */
  matchesAsNamed?(fields: RowFields): boolean;
  /** Reads a row; throws RowProblem. */
  read(fields: RowFields): PairTurns;
  /** What changes places in a row when a pair's sides are exchanged: columns, of those that the data have, two by two. */
  swap(columns: readonly string[]): readonly SideColumns[];
}

/** A row that cannot be used, on its way to becoming an UnusableRow. Never leaves this folder's callers. */
export class RowProblem extends Error {
  readonly reason: UnusableReason;

  constructor(reason: UnusableReason, detail: string) {
    super(detail);
    this.name = new.target.name;
    this.reason = reason;
  }
}
