import { once } from "node:events";
import { PassThrough } from "node:stream";

import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { UNUSABLE_REASONS, type UnusableReason, type UnusableRow } from "./preference-pair.ts";

/** How many rows were unusable, and why. */
export const unusableSummarySchema = z.strictObject({
  count: countSchema,
  /** Only reasons that occurred, most frequent first. */
  byReason: z.partialRecord(z.enum(UNUSABLE_REASONS), countSchema),
});
export type UnusableSummary = Plain<typeof unusableSummarySchema>;

/** A sentence where files end in the middle of a row. */
export function describeCutOff({ byReason }: Pick<UnusableSummary, "byReason">): readonly string[] {
  const files = byReason["cut-off"] ?? 0;
  if (files === 0) return [];
  const which = files === 1 ? "1 file ends" : `${files} files end`;
  return [
    `${which} in the middle of a row: cut off, and all rows behind are lost without being counted. The list of unusable rows has which; get the data again.`,
  ];
}

/**
 * Writes unusable rows as JSONL {file, row, fileRow, reason, detail}, streaming; the file appears whole or not at all, and is
 * written (empty) when there are none, so that an older list never stays behind. Other members of a stream pass unwritten.
 */
export async function writeUnusable(
  path: string,
  rows: AsyncIterable<UnusableRow | { readonly kind: "pair" }> | Iterable<UnusableRow>,
): Promise<UnusableSummary> {
  const counter = createReasonCounter();
  async function* lines(): AsyncGenerator<string> {
    for await (const row of rows) {
      if (row.kind !== "unusable") continue;
      counter.add(row);
      yield toLine(row);
    }
  }
  await writeFileAtomic(path, lines());
  return counter.summary();
}

/** A side file that is filled while something else reads the rows. Call `close` when all went well, `discard` otherwise. */
export interface UnusableFile {
  /** Resolves when the row may be forgotten. */
  add(row: UnusableRow): Promise<void>;
  close(): Promise<UnusableSummary>;
  /** Leaves no file. */
  discard(): Promise<void>;
}

/** Opens a side file; see writeUnusable for its lines and its atomicity. */
export function openUnusableFile(path: string): UnusableFile {
  const counter = createReasonCounter();
  const lines = new PassThrough();
  const written = writeFileAtomic(path, lines);
  // A failed write is reported by the call that waits for it next, not as an unhandled error in between.
  written.catch(() => {});
  lines.on("error", () => {});
  return {
    async add(row) {
      counter.add(row);
      if (!lines.write(toLine(row))) await Promise.race([once(lines, "drain"), written]);
    },
    async close() {
      lines.end();
      await written;
      return counter.summary();
    },
    async discard() {
      lines.destroy(new Error("internal: the list of unusable rows was given up"));
      await Promise.allSettled([written]);
    },
  };
}

/** Counts rows by reason. */
export function createReasonCounter(): {
  add(row: UnusableRow): void;
  summary(): UnusableSummary;
} {
  const counts = new Map<UnusableReason, number>();
  return {
    add: (row) => void counts.set(row.reason, (counts.get(row.reason) ?? 0) + 1),
    summary() {
      const sorted = [...counts].toSorted((a, b) => b[1] - a[1]);
      return {
        count: sorted.reduce((sum, [, count]) => sum + count, 0),
        byReason: Object.fromEntries(sorted),
      };
    },
  };
}

function toLine(row: UnusableRow): string {
  const { file, row: number, fileRow, reason, detail } = row;
  return `${JSON.stringify({ file, row: number, fileRow, reason, detail })}\n`;
}
