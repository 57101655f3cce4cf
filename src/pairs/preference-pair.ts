import { z } from "zod";

import type { Message, RowContext } from "../format/messages.ts";
import { countSchema, type Plain } from "../util/artifact.ts";

/** The value of a column that travels with a pair from its file to the ranking (source, chosen_model, …). */
export type ColumnValue = string | number | boolean | null;

/**
 * One preference pair: a prompt with a chosen and a rejected response.
 *
 * `prompt` holds every turn before the responses part (system turns included); `chosen` and `rejected` hold the turns after
 * it, at least one, the first of them the assistant's.
 */
export interface PreferencePair {
  readonly kind: "pair";
  /** Stable: the row's own id, or a hash of its content; the n-th repeat of an id in a data set ends in `#n`. */
  readonly id: string;
  /** 0-based number of the row over all files in their order, unusable rows counted. */
  readonly row: number;
  /** The file as the user named it (or as the glob expanded). */
  readonly file: string;
  /** 0-based row within its file. */
  readonly fileRow: number;
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
  /** What the row gives the template beside its turns; absent where it gives nothing. */
  readonly context?: RowContext | undefined;
  /** Kept columns, `source` first among them where the data has one; the same keys on every pair of a data set. */
  readonly columns: Readonly<Record<string, ColumnValue>>;
}

/** Why a row cannot be used. */
export const UNUSABLE_REASONS = [
  "broken-json",
  /** The file ends in the middle of it: rows behind it are lost, too. */
  "cut-off",
  "broken-csv",
  /** Turns written as text that is not whole JSON. */
  "broken-turns",
  "missing-field",
  "wrong-type",
  "empty-side",
  "empty-prompt",
  "different-prompts",
  "unknown-role",
  "turn-order",
  "identical-sides",
  /** Images, sound or files in a turn, or half of a character. */
  "not-text",
  /** The row says something that its shape or the chat template does not read. */
  "unread",
  "prompt-too-long",
  /** The chat template rejects the conversation. */
  "template-refused",
  /** The rendered conversation does not begin with the rendered prompt. */
  "prompt-not-kept",
] as const;
export type UnusableReason = (typeof UNUSABLE_REASONS)[number];

/** A row that is not a usable pair; counted by reason and listed in a side file, never dropped silently. */
export const unusableRowSchema = z.strictObject({
  kind: z.literal("unusable"),
  row: countSchema,
  file: z.string(),
  fileRow: countSchema,
  reason: z.enum(UNUSABLE_REASONS),
  /** One sentence: what was expected, what was there (no data-set text at length). */
  detail: z.string(),
});
export type UnusableRow = Plain<typeof unusableRowSchema>;
