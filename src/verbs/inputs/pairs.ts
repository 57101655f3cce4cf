import { z } from "zod";

import { openPairs, type OpenPairsOptions, type PairSet } from "../../pairs/open-pairs.ts";
import { PAIR_SHAPES } from "../../pairs/shapes/shapes.ts";
import { count, nonEmpty } from "../../util/setting-kinds.ts";
import { printable } from "../../util/text-table.ts";
import type { Input, OpenWork } from "../verb.ts";
import { openingOptions } from "./files.ts";

/** How files of preference pairs are read. */
export const pairSettings = z.strictObject({
  shape: z
    .enum(PAIR_SHAPES)
    .optional()
    .describe("How the rows are laid out. Absent: detected from the rows."),
  sourceColumn: nonEmpty
    .optional()
    .describe("Column that says where a pair comes from. Absent: source, dataset or the like."),
  keep: z
    .array(nonEmpty)
    .optional()
    .describe(
      "Columns that travel with the pairs. Absent: the source, generators, and other short columns.",
    ),
  limit: count.optional().describe("Reads the first rows only. Absent: all."),
});

/** The settings as those who open the files take them. */
export const openPairsOptions = (
  { keep, ...settings }: z.output<typeof pairSettings>,
  work: Parameters<typeof openingOptions>[0],
): OpenPairsOptions => ({ ...settings, keepColumns: keep, ...openingOptions(work) });

/** Says how files of pairs are read, and what of them is not. */
export function notePairs(
  { files, shapeReason, columnsNotRead }: PairSet,
  { note }: Pick<OpenWork, "note">,
): void {
  note(`${files.length} file(s), shape ${shapeReason}`);
  const names = columnsNotRead.map((name) => printable(name));
  if (names.length > 0) note(`pairs: columns that nothing reads: ${names.join(", ")}`);
}

/** Preference pairs, opened. */
export const pairsInput = {
  kind: "pairs",
  placeholder: "PAIRS",
  describe: "Files of preference pairs.",
  isPositional: true,
  isMany: true,
  settings: pairSettings,
  open: async (paths, settings, work) => {
    const pairs = await openPairs(paths, openPairsOptions(settings, work));
    notePairs(pairs, work);
    return pairs;
  },
  files: ({ files }) => files.map(({ path }) => path),
} as const satisfies Input<PairSet, typeof pairSettings>;
