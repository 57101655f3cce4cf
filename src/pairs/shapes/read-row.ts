import type { RowContext } from "../../format/messages.ts";
import type { RowFields } from "../readers/file-row.ts";
import { readContext } from "./row-context.ts";
import type { PairTurns } from "./shape.ts";
import { type PairShape, SHAPES } from "./shapes.ts";

/** The turns of a row and what it gives the template beside them, not yet checked against each other. Throws RowProblem. */
export function readRow(
  shape: PairShape,
  fields: RowFields,
): PairTurns & { readonly context?: RowContext } {
  const { prompt: turns, chosen, rejected, unread } = SHAPES[shape].read(fields);
  const { prompt, context } = readContext(fields, turns, unread);
  return { prompt, chosen, rejected, ...(context === undefined ? {} : { context }) };
}
