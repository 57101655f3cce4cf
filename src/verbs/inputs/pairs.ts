import { z } from "zod";

import { resolveDatasetFiles } from "../../hub/resolve-dataset-files.ts";
import { openPairs, type PairSet } from "../../pairs/open-pairs.ts";
import { PAIR_SHAPES } from "../../pairs/shapes/shapes.ts";
import { count, text } from "../settings/common.ts";
import type { Input } from "../verb.ts";

/** How files of preference pairs are read. */
export const pairSettings = z.strictObject({
  shape: z
    .enum(PAIR_SHAPES)
    .optional()
    .describe("How the rows are laid out. Absent: detected from the rows."),
  sourceColumn: text
    .optional()
    .describe("Column that says where a pair comes from. Absent: source, dataset or the like."),
  keep: z
    .array(text)
    .optional()
    .describe(
      "Columns that travel with the pairs. Absent: the source, generators, and other short columns.",
    ),
  limit: count.optional().describe("Reads the first rows only. Absent: all."),
});

/** Preference pairs, opened. */
export const pairsInput = {
  kind: "pairs",
  placeholder: "PAIRS",
  describe: "Files of preference pairs.",
  isPositional: true,
  isMany: true,
  settings: pairSettings,
  open: async (paths, { keep, ...options }, { signal, download, note }) => {
    const pairs = await openPairs(paths, {
      ...options,
      keepColumns: keep,
      resolveRemote: (uri) => resolveDatasetFiles(uri, download),
      signal,
    });
    note(`${pairs.files.length} file(s), shape ${pairs.shapeReason}`);
    return pairs;
  },
  files: ({ files }) => files.map(({ path }) => path),
} as const satisfies Input<PairSet, typeof pairSettings>;
