/** @file Fills a vector store: pairs in, one datapoint vector for each pair and layer out, shard by shard. */
import { join } from "node:path";

import { ActivationError } from "../engine/activation-error.ts";
import type { EmbeddingEngine, TokenizedExample } from "../engine/engine.ts";
import { createHiddenCounter, type HiddenCounts } from "../pairs/hidden-counts.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { ColumnValue, PreferencePair, UnusableRow } from "../pairs/preference-pair.ts";
import { tokenizeSides } from "../pairs/tokenize-sides.ts";
import { openUnusableFile, type UnusableSummary } from "../pairs/unusable-file.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { type JobOptions, silentProgress } from "../util/progress.ts";
import type { ShardRows } from "./encode-shard.ts";
import { addNotFinite, readNotFinite } from "./not-finite.ts";
import {
  createManifest,
  describeCheckpoint,
  type StoreDtype,
  type VectorStoreManifest,
} from "./vector-store-manifest.ts";
import { openStoreForWriting, type StoreWriter } from "./write-store.ts";

/** File beside the shards that lists the rows without a vector. */
export const UNUSABLE_NAME = "unusable.jsonl";

export interface EmbedPairsOptions extends JobOptions {
  /** Layers in rising order. */
  readonly layers: readonly number[];
  readonly template: "chat" | "raw";
  /** The engine takes rows without what nothing reads; default false. */
  readonly ignoresUnread?: boolean | undefined;
  /** Tokens of prompt and response together; longer responses are cut at the end. */
  readonly maxTokens: number;
  /** Default "F16". */
  readonly dtype?: StoreDtype | undefined;
  /** Pairs of one shard, the unit of resume. */
  readonly shardRows: number;
}

/** What became of the rows. */
export interface EmbedPairsResult {
  /** Pairs with vectors in the store. */
  readonly pairs: number;
  /** Of these, pairs that an earlier run had finished. */
  readonly resumedPairs: number;
  /** Pairs with a response cut at the token limit. */
  readonly truncatedPairs: number;
  /** Pairs whose prompts hold the template's own marks. */
  readonly markedPairs: number;
  /** What their rows say and the chat template shows in part or not at all. */
  readonly hidden: HiddenCounts;
  /** Prompt, chosen and rejected tokens of all pairs, the prompt counted once. */
  readonly tokens: number;
  readonly unusable: UnusableSummary;
  /** Where the unusable rows are listed. */
  readonly unusablePath: string;
  /** Ids of pairs whose gradient is not finite: their vectors are zeros, which have no score. */
  readonly notFinite: readonly string[];
  readonly manifest: VectorStoreManifest;
}

/**
 * Embeds every usable pair of a data set into the store in `directory`. Started again after an interruption it goes on from the
 * last whole shard, and the store ends up the same. A pair whose gradient is not finite gets zeros and is listed beside the shards. Throws
 * ConfigError where the folder holds a store with other settings, RuntimeError where an activation is not finite, naming layer and pair.
 */
export async function embedPairs(
  engine: EmbeddingEngine,
  pairs: PairSet,
  directory: string,
  options: EmbedPairsOptions,
): Promise<EmbedPairsResult> {
  const { progress = silentProgress, signal } = options;
  const manifest = storeManifest(engine, pairs, options);
  await using writer = await openStoreForWriting(directory, manifest);
  const unusablePath = join(directory, UNUSABLE_NAME);
  const unusable = openUnusableFile(unusablePath);
  try {
    const resumedPairs = writer.finishedRows;
    let total = await countPairs(pairs, signal);
    const hidden = createHiddenCounter();
    const totals = { pairs: 0, truncatedPairs: 0, markedPairs: 0, tokens: 0 };
    let shard = 0;
    let batch: EmbeddablePair[] = [];
    const flush = async (): Promise<void> => {
      if (!writer.finishedShards.has(shard)) {
        // The first update is where the rate starts: finished shards must not count as fast ones.
        progress.update(totals.pairs, total);
        await embedShard({ engine, writer, directory, options }, shard, batch, (done) =>
          progress.update(totals.pairs + done, total),
        );
      }
      totals.pairs += batch.length;
      shard++;
      batch = [];
    };
    for await (const row of pairs.read({ signal })) {
      const rendered = row.kind === "pair" ? renderPair(engine, row, options.maxTokens) : row;
      if (rendered.kind === "unusable") {
        if (row.kind === "pair") total--;
        await unusable.add(rendered);
        continue;
      }
      totals.truncatedPairs += rendered.isTruncated ? 1 : 0;
      hidden.add(rendered.example.hidden);
      totals.markedPairs += rendered.example.holdsMarks === true ? 1 : 0;
      totals.tokens += tokenCounts(rendered.example).reduce((sum, count) => sum + count, 0);
      batch.push(rendered);
      if (batch.length === options.shardRows) await flush();
    }
    if (batch.length > 0) await flush();
    const summary = await unusable.close();
    const notFinite = [...(await readNotFinite(directory)).keys()];
    if (totals.pairs === 0) throw noUsablePair(summary, unusablePath);
    if (writer.completion === undefined) await writer.complete({ ...summary.byReason });
    return {
      ...totals,
      hidden: hidden.report(),
      resumedPairs,
      unusable: summary,
      unusablePath,
      notFinite,
      manifest,
    };
  } catch (error) {
    await unusable.discard();
    throw error;
  } finally {
    progress.end();
  }
}

function storeManifest(
  engine: EmbeddingEngine,
  pairs: PairSet,
  options: EmbedPairsOptions,
): VectorStoreManifest {
  return createManifest({
    checkpoint: describeCheckpoint(engine.identity),
    template: options.template,
    layers: [...options.layers],
    features: engine.identity.features,
    dim: engine.identity.dim,
    dtype: options.dtype ?? "F16",
    maxTokens: options.maxTokens,
    shardRows: options.shardRows,
    pairs: {
      contentHash: pairs.contentHash,
      files: pairs.files.map((file) => file.path),
      shape: pairs.shape,
      columns: [...pairs.columns],
      ...(options.ignoresUnread === true ? { ignoreUnread: true } : {}),
    },
  });
}

/** For the time left: reading is thousands of times faster than embedding. */
async function countPairs(pairs: PairSet, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  for await (const row of pairs.read({ signal })) if (row.kind === "pair") count++;
  return count;
}

/** A pair ready to embed. */
interface EmbeddablePair {
  readonly kind: "embeddable";
  readonly pair: PreferencePair;
  /** Responses: chosen, rejected. */
  readonly example: TokenizedExample;
  readonly isTruncated: boolean;
}

function renderPair(
  engine: EmbeddingEngine,
  pair: PreferencePair,
  maxTokens: number,
): EmbeddablePair | UnusableRow {
  const sides = tokenizeSides(
    engine,
    { prompt: pair.prompt, sides: [pair.chosen, pair.rejected], context: pair.context },
    maxTokens,
    ({ isTruncated }) =>
      `both responses are the same tokens${isTruncated ? ` once cut at ${maxTokens}` : ""}`,
  );
  if (sides.kind === "usable") return { ...sides, kind: "embeddable", pair };
  const { row, file, fileRow } = pair;
  return { ...sides, row, file, fileRow };
}

function noUsablePair(summary: UnusableSummary, path: string): ConfigError {
  const reasons = Object.entries(summary.byReason).map(([why, count]) => `${why} ${count}`);
  return new ConfigError(
    `no pair can be used: ${summary.count} unusable rows (${reasons.join(", ")})`,
    {
      hint: `${path} lists them with file and row.${
        summary.byReason.unread === undefined
          ? ""
          : " --ignore-unread takes those that say what the chat template does not show, without it."
      }`,
    },
  );
}

async function embedShard(
  {
    engine,
    writer,
    directory,
    options,
  }: {
    engine: EmbeddingEngine;
    writer: StoreWriter;
    directory: string;
    options: EmbedPairsOptions;
  },
  shard: number,
  batch: readonly EmbeddablePair[],
  onDone: (done: number) => void,
): Promise<void> {
  const { layers, signal } = options;
  const { dim } = engine.identity;
  const vectors = new Map(layers.map((layer) => [layer, new Float32Array(batch.length * dim)])); // [R, D]
  const examples = batch.map(({ example }) => example);
  const bad = new Map<number, number>();
  // A state that is not finite says that the checkpoint is broken, a gradient that is not that this pair is odd.
  const onNotFinite = (example: number, layer: number): void => void bad.set(example, layer);
  const isStates = engine.identity.features === undefined;
  const job = { layers, signal, ...(isStates ? {} : { onNotFinite }) };
  let done = 0;
  try {
    for await (const { index, means } of engine.embed(examples, job)) {
      onDone(++done);
      if (bad.has(index)) continue;
      const [chosen, rejected] = means as readonly [Float32Array, Float32Array]; // two responses went in
      for (const [l, layer] of layers.entries()) {
        const into = vectors.get(layer)!.subarray(index * dim, (index + 1) * dim);
        for (let i = 0; i < dim; i++) into[i] = chosen[l * dim + i]! - rejected[l * dim + i]!;
      }
    }
  } catch (error) {
    if (!(error instanceof ActivationError)) throw error;
    const { id, file, fileRow } = batch[error.example]!.pair;
    throw new RuntimeError(
      `${file}, row ${fileRow}: pair "${id}": an activation at layer ${error.layer} is not finite`,
      { hint: error.hint, cause: error },
    );
  }
  // Before the shard: one that is made again lists its pairs again.
  await addNotFinite(
    directory,
    [...bad].map(([example, layer]) => {
      const { id, file, fileRow } = batch[example]!.pair;
      return { id, file, fileRow, layer };
    }),
  );
  await writer.writeShard(shard, shardRows(batch, vectors, writer.manifest.pairs.columns));
}

function shardRows(
  batch: readonly EmbeddablePair[],
  layers: ReadonlyMap<number, Float32Array>,
  columnNames: readonly string[],
): ShardRows {
  const columns: Record<string, ColumnValue[]> = Object.create(null) as Record<
    string,
    ColumnValue[]
  >; // a column may be called __proto__
  for (const name of columnNames) {
    columns[name] = batch.map(({ pair }) => pair.columns[name] ?? null);
  }
  return {
    ids: batch.map(({ pair }) => pair.id),
    rows: batch.map(({ pair }) => pair.row),
    columns,
    tokens: Int32Array.from(batch.flatMap(({ example }) => tokenCounts(example))),
    layers,
  };
}

/** Tokens of the prompt and of each response. */
function tokenCounts({ prompt, responses }: TokenizedExample): number[] {
  return [prompt.length, ...responses.map((response) => response.length)];
}
