import {
  ConfigError,
  embedPairs,
  type EmbedPairsResult,
  openEngine,
  openPairs,
} from "../../index.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { ENGINE_FLAGS, readEngineOptions } from "../engine-flags.ts";
import { parseLayers, resolveLayers } from "../layers.ts";
import { PAIR_FLAGS, readPairOptions } from "../pair-flags.ts";
import { requiredPositionals, requiredText } from "../required.ts";

/** Files of a handy size, and a killed run loses minutes. */
const DEFAULT_SHARD_ROWS = 2048;
const DEFAULT_MAX_TOKENS = 2048;
/** Share of unusable rows from which on the user must hear of it. */
const MANY_UNUSABLE = 0.1;

export const embedCommand: Command = {
  name: "embed",
  summary: "Datapoint vectors of preference pairs, into a vector store",
  positionals: "PAIRS...",
  description: `
PAIRS are files of preference pairs (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

The datapoint vector of a pair is the mean activation over the chosen response's tokens minus that over the rejected one's, in the
residual stream of the checkpoint before preference training, at each layer asked for. Layer l is the stream after l blocks;
layer 0 is the embedding output.

The store is a folder: manifest.json, shard-00000.safetensors and so on, complete.json, unusable.jsonl. An interrupted run goes on
from the last whole shard when the same command is given again. A store made with other settings is refused.

  culprit embed pairs.jsonl.gz --checkpoint ./sft --layers 8,10,12 --out vectors/`,
  flags: {
    ...ENGINE_FLAGS,
    layers: {
      type: "string",
      value: "LIST",
      describe: "Layers: numbers and ranges like 8,10-12, or all.",
    },
    out: { type: "string", value: "DIR", describe: "The store's folder." },
    ...PAIR_FLAGS,
    "max-tokens": {
      type: "string",
      value: "N",
      describe: `Prompt and response together, in tokens; longer responses are cut at the end. Default: ${DEFAULT_MAX_TOKENS}, or the checkpoint's positions where those are fewer.`,
    },
    dtype: {
      type: "string",
      value: "TYPE",
      describe: "How vectors are stored: fp16 (default) or fp32.",
    },
    "shard-rows": {
      type: "string",
      value: "N",
      describe: `Pairs of one shard, the unit of resume. Default: ${DEFAULT_SHARD_ROWS}.`,
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  // Everything that can be wrong with the words is found before the checkpoint is loaded.
  const patterns = requiredPositionals(args, "embed", "files of preference pairs");
  const checkpoint = requiredText(args, "embed", "checkpoint");
  const out = requiredText(args, "embed", "out");
  const selection = parseLayers(requiredText(args, "embed", "layers"));
  const maxTokens = args.integer("max-tokens", { min: 2 });
  const shardRows = args.integer("shard-rows", { min: 1, max: 2 ** 20 }) ?? DEFAULT_SHARD_ROWS;
  const dtype = args.choice("dtype", ["fp16", "fp32"]) === "fp32" ? "F32" : "F16";
  const engineOptions = readEngineOptions(args, context);

  const pairs = await openPairs(patterns, readPairOptions(args, context));
  context.log(`${pairs.files.length} file(s), shape ${pairs.shapeReason}`);
  await using engine = await openEngine(checkpoint, engineOptions);
  const { layerCount, maxPositions } = engine.identity;
  if (maxTokens !== undefined && maxTokens > maxPositions) {
    throw new ConfigError(
      `--max-tokens: ${checkpoint} was made for ${maxPositions} positions, got ${maxTokens}`,
    );
  }
  const startMs = performance.now();
  const result = await embedPairs(engine, pairs, out, {
    layers: resolveLayers(selection, layerCount),
    template: engineOptions.template ?? "chat",
    maxTokens: maxTokens ?? Math.min(DEFAULT_MAX_TOKENS, maxPositions),
    dtype,
    shardRows,
    signal: context.signal,
    progress: context.progress("embed", "pairs"),
  });
  const seconds = (performance.now() - startMs) / 1000;
  const broken = result.unusable.byReason["broken-json"] ?? 0;
  if (broken > 0) {
    context.warn(
      `${broken} rows are broken JSON; a file that was cut off has lost the rows behind them too, see ${result.unusablePath}`,
    );
  }
  if (result.unusable.count > MANY_UNUSABLE * (result.pairs + result.unusable.count)) {
    context.warn(
      `${result.unusable.count} of ${result.pairs + result.unusable.count} rows cannot be used, see ${result.unusablePath}`,
    );
  }
  context.print(
    args.has("json")
      ? JSON.stringify({ store: out, seconds, ...result }, undefined, 2)
      : formatResult(out, result, seconds),
  );
}

function formatResult(out: string, result: EmbedPairsResult, seconds: number): string {
  const embedded = result.pairs - result.resumedPairs;
  const reasons = Object.entries(result.unusable.byReason).map(([why, count]) => `${why} ${count}`);
  return [
    `${out}: ${result.pairs} pairs, layers ${result.manifest.layers.join(", ")}, ${result.manifest.dim} dimensions, ${result.manifest.dtype}`,
    ...(result.resumedPairs > 0 ? [`${result.resumedPairs} pairs were there already`] : []),
    `${embedded} pairs in ${seconds.toFixed(1)} s (${(embedded / seconds).toFixed(2)} pairs/s)`,
    `${result.truncatedPairs} pairs had a response cut at ${result.manifest.maxTokens} tokens`,
    `${result.unusable.count} unusable rows${reasons.length > 0 ? ` (${reasons.join(", ")})` : ""}, listed in ${result.unusablePath}`,
  ].join("\n");
}
