/** @file From examples to token ids, once before training. All token ids are held in memory: 4 bytes a token. */
import { createHash } from "node:crypto";

import type { Engine, TokenizedExample } from "../engine/engine.ts";
import type { Message, RowContext } from "../format/messages.ts";
import { createHiddenCounter, type HiddenCounts } from "../pairs/hidden-counts.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { UnusableRow } from "../pairs/preference-pair.ts";
import type { SftExample, SftSet } from "../pairs/sft-examples.ts";
import { type TokenizedSides, tokenizeResponses, tokenizeSides } from "../pairs/tokenize-sides.ts";
import { ConfigError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import type { TrainRequest } from "./settings.ts";
import { epochOrder } from "./step-plan.ts";

/** The examples of a run as token ids, in the order of the data. */
export interface PreparedExamples {
  readonly ids: readonly string[];
  /** DPO: two responses each, chosen and rejected. SFT: one. */
  readonly examples: readonly TokenizedExample[];
  readonly unusable: readonly UnusableRow[];
  /** Examples with a response cut at the token limit. */
  readonly truncated: number;
  /** Examples whose prompts hold the template's own marks. */
  readonly marked: number;
  /** What rows say and the chat template shows in part or not at all. */
  readonly hidden: HiddenCounts;
  /** SHA-256, hex, over ids and tokens in their order: equal for data that trains the same. */
  readonly hash: string;
}

/** What preparing needs of an engine or a trainer. */
type Tokenizing = Pick<Engine, "tokenize" | "tokenizeText">;

interface PrepareSettings {
  readonly maxTokens: number;
  readonly signal: AbortSignal | undefined;
}

/** Tokenises preference pairs. */
export async function preparePairs(
  engine: Tokenizing,
  pairs: PairSource,
  settings: PrepareSettings,
): Promise<PreparedExamples> {
  return collect(rowsOf<TrainPair>(pairs, settings.signal), (pair) =>
    tokenizeSides(
      engine,
      { prompt: pair.prompt, sides: [pair.chosen, pair.rejected], context: pair.context },
      settings.maxTokens,
      ({ isTruncated }) =>
        `both responses are the same tokens${isTruncated ? ` once cut at ${settings.maxTokens}` : ""}`,
    ),
  );
}

/** Tokenises examples for SFT; with `lossOn` "all" the prompt is one token and the rest the response. */
export async function prepareSft(
  engine: Tokenizing,
  examples: SftSource,
  { lossOn, ...settings }: PrepareSettings & { readonly lossOn: "response" | "all" },
): Promise<PreparedExamples> {
  return collect(rowsOf<SftExample | TrainPair>(examples, settings.signal), (row) => {
    if ("text" in row) return prepareText(engine.tokenizeText(row.text), settings.maxTokens);
    const response = "chosen" in row ? row.chosen : row.response;
    const example = { prompt: row.prompt, responses: [response], context: row.context };
    const prepared = tokenizeResponses(engine, example, settings.maxTokens);
    if (lossOn === "response" || prepared.kind === "unusable") return prepared;
    const { prompt, responses, ...found } = prepared.example;
    const whole = Int32Array.from([...prompt, ...responses[0]!]); // one response went in
    return { ...prepared, example: { ...found, ...splitFirst(whole) } };
  });
}

function prepareText(tokens: Int32Array, maxTokens: number): TokenizedSides {
  if (tokens.length < 2) {
    const detail = `the text has ${tokens.length} tokens, training needs two`;
    return { kind: "unusable", reason: "empty-side", detail };
  }
  const isTruncated = tokens.length > maxTokens;
  return { kind: "usable", example: splitFirst(tokens.subarray(0, maxTokens)), isTruncated };
}

function splitFirst(tokens: Int32Array): TokenizedExample {
  return { prompt: tokens.slice(0, 1), responses: [tokens.slice(1)] };
}

/** Rows of files or of a list. */
async function* rowsOf<T extends { readonly id: string }>(
  source:
    | { read(options: { signal: AbortSignal | undefined }): AsyncIterable<T | UnusableRow> }
    | readonly T[],
  signal: AbortSignal | undefined,
): AsyncGenerator<T | UnusableRow> {
  if ("read" in source) yield* source.read({ signal });
  else yield* source;
}

async function collect<T extends { readonly id: string }>(
  rows: AsyncIterable<T | UnusableRow>,
  prepare: (row: T) => TokenizedSides,
): Promise<PreparedExamples> {
  const ids: string[] = [];
  const examples: TokenizedExample[] = [];
  const unusable: UnusableRow[] = [];
  const hash = createHash("sha256");
  const hidden = createHiddenCounter();
  let truncated = 0;
  let marked = 0;
  let row = -1;
  for await (const each of rows) {
    row++;
    if (isUnusable(each)) {
      unusable.push(each);
      continue;
    }
    const prepared = prepare(each);
    if (prepared.kind === "unusable") {
      unusable.push({ ...prepared, ...placeOf(each, row) });
      continue;
    }
    truncated += prepared.isTruncated ? 1 : 0;
    hidden.add(prepared.example.hidden);
    marked += prepared.example.holdsMarks === true ? 1 : 0;
    ids.push(each.id);
    examples.push(prepared.example);
    addToHash(hash, each.id, prepared.example);
  }
  return {
    ids,
    examples,
    unusable,
    truncated,
    marked,
    hidden: hidden.report(),
    hash: hash.digest("hex"),
  };
}

function isUnusable(row: object): row is UnusableRow {
  return "kind" in row && row.kind === "unusable";
}

/** Where a row stands; rows of a list have their number and the list's name. */
function placeOf(
  row: object,
  number: number,
): { readonly row: number; readonly file: string; readonly fileRow: number } {
  const { file, fileRow } = row as { file?: string | undefined; fileRow?: number }; // PreferencePair has them
  return { row: number, file: file ?? "(list)", fileRow: fileRow ?? number };
}

function addToHash(
  hash: { update(data: string | Uint8Array): unknown },
  id: string,
  { prompt, responses }: TokenizedExample,
): void {
  const lengths = [prompt.length, ...responses.map((each) => each.length)];
  hash.update(JSON.stringify([id, lengths]));
  for (const tokens of [prompt, ...responses]) {
    hash.update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength));
  }
}

/** What training needs of a preference pair; a PreferencePair is one. */
export interface TrainPair {
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
  readonly context?: RowContext | undefined;
}

/** Pairs from files, edited on the way or not, or a list in memory. */
export type PairSource = Pick<PairSet, "files" | "read"> | readonly TrainPair[];

/** The chosen sides of pairs, or examples. */
export type SftSource = PairSource | SftSet | readonly SftExample[];

/** Some of the examples, in the order of the data. Which ones follows from the seed and each example's id alone. */
export function sampleExamples(
  prepared: PreparedExamples,
  sample: NonNullable<TrainRequest["sample"]>,
  seed: number,
): PreparedExamples {
  const { ids, examples, hash } = prepared;
  const count =
    "count" in sample ? sample.count : Math.max(1, Math.round(sample.share * ids.length));
  if (count > ids.length) {
    throw new ConfigError(
      `sample: expected at most the ${ids.length} examples that there are, got ${count}`,
    );
  }
  // As the order of an epoch that is never trained.
  const taken = epochOrder(ids, seed, -1)
    .slice(0, count)
    .toSorted((a, b) => a - b);
  return {
    ...prepared,
    ids: taken.map((i) => ids[i]!),
    examples: taken.map((i) => examples[i]!),
    hash: hashValue([hash, count, seed]),
  };
}
