import { resolveDatasetFiles } from "../hub/resolve-dataset-files.ts";
import type { ResolveRemote } from "../pairs/expand-patterns.ts";
import type { OpenPairsOptions } from "../pairs/open-pairs.ts";
import { PAIR_SHAPES } from "../pairs/shapes/shapes.ts";
import type { CommandContext, FlagSpec, ParsedArguments } from "./command.ts";

/** Flags of every command that reads preference pairs. */
export const PAIR_FLAGS = {
  shape: {
    type: "string",
    value: "SHAPE",
    describe: `How the rows are laid out: ${PAIR_SHAPES.join(", ")}. Default: detected from the rows.`,
  },
  "source-column": {
    type: "string",
    value: "NAME",
    describe: "The column that says where a pair comes from. Default: source, dataset or the like.",
  },
  keep: {
    type: "string",
    value: "NAMES",
    multiple: true,
    describe:
      "Columns that travel with the pairs, comma-separated. Default: the source, generators, and other short columns.",
  },
  limit: {
    type: "string",
    value: "N",
    describe: "Read the first N rows only. Default: all.",
  },
} as const satisfies Record<string, FlagSpec>;

/** Brings `hf://datasets/…` files onto this machine, with a progress bar. */
export function resolveRemote(context: CommandContext): ResolveRemote {
  return (uri) =>
    resolveDatasetFiles(uri, {
      signal: context.signal,
      progress: context.progress("download", "bytes"),
    });
}

/** The values of PAIR_FLAGS, for `openPairs`. */
export function readPairOptions(args: ParsedArguments, context: CommandContext): OpenPairsOptions {
  const keep = args.list("keep");
  return {
    shape: args.choice("shape", PAIR_SHAPES),
    sourceColumn: args.text("source-column"),
    keepColumns: keep.length === 0 ? undefined : keep,
    limit: args.integer("limit", { min: 1 }),
    resolveRemote: resolveRemote(context),
    signal: context.signal,
  };
}
