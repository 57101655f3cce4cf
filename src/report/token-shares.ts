/**
 * @file What each token adds to a pair's score. The datapoint vector is the mean activation of the chosen response less that of the rejected
 * one, and the score a projection of it, so the score is a sum over tokens: exactly, nothing is estimated. With v the unit direction,
 * h_t a token's activation and n the tokens of its response, a token adds ⟨v, h_t⟩ / n, negative on the rejected side; for a cosine divided
 * by ‖v_d‖ as well.
 */
import { join } from "node:path";

import { BEHAVIOR_FILE, type StoredBehavior } from "../behavior/behavior-file.ts";
import type { EngineHost } from "../engine/engine-host.ts";
import type { Engine, TokenizedExample } from "../engine/engine.ts";
import type { Message } from "../format/messages.ts";
import { tokenizeSides } from "../pairs/tokenize-sides.ts";
import { VECTORS } from "../store/open-store.ts";
import { CulpritError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { norm } from "../util/vector.ts";
import type { RunRanking } from "./read-rankings.ts";
import type { TokenShares, TokenSide } from "./report-source.ts";
import type { RunFolder } from "./run-folder.ts";

/** A pair whose tokens are wanted: one that is roles and texts alone. */
export interface WantedTokens {
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
  /** The bank's vector that decided the score. */
  readonly winner: string | undefined;
}

export interface TokenSharesOptions extends JobOptions {
  readonly host: EngineHost;
}

/** The shares of the pairs' tokens by id, or why there are none. */
export type FoundShares = ReadonlyMap<string, TokenShares> | string;

/** The scorers whose score is a sum over tokens. */
const SUMS: ReadonlySet<unknown> = new Set(["cosine", "projection", "bank-max"]);

/** The ranking whose scores are sums over tokens, the first; undefined where none is. */
export function summedRanking(rankings: readonly RunRanking[]): RunRanking | undefined {
  return rankings.find(
    ({ ranking: { layer, method } }) =>
      layer !== undefined &&
      method.features === undefined && // a sum over tokens of states
      SUMS.has(method.settings["scorer"]),
  );
}

/** Computes the shares on the checkpoint before, which must be the one that the pairs were embedded with. */
export async function findTokenShares(
  run: RunFolder,
  ranking: RunRanking,
  pairs: readonly WantedTokens[],
  options: TokenSharesOptions,
): Promise<FoundShares> {
  const opened = await openTokenShares(run, ranking, options.host);
  if (typeof opened === "string") return opened;
  await using shares = opened;
  return await shares.of(pairs, options);
}

/** The checkpoint before, open to shade tokens. */
export interface OpenTokenShares extends AsyncDisposable {
  /** The shares of these pairs, or why there are none. */
  of(pairs: readonly WantedTokens[], job: JobOptions): Promise<FoundShares>;
}

/** Opens the checkpoint before; a sentence where it cannot be run, or is not the one that the pairs were embedded with. */
export async function openTokenShares(
  run: RunFolder,
  { label, ranking }: RunRanking,
  host: EngineHost,
): Promise<OpenTokenShares | string> {
  const [embedded, behaved] = [run.stage("embed"), run.stage("behavior")];
  const { layer } = ranking;
  if (embedded === undefined || behaved === undefined || layer === undefined) {
    return "the pairs have no vectors";
  }
  const { manifest } = await VECTORS.read(join(embedded, VECTORS.name));
  const behavior = await BEHAVIOR_FILE.read(join(behaved, BEHAVIOR_FILE.name));
  const scorer = ranking.method.settings["scorer"];
  const options = {
    label,
    layer,
    maxTokens: manifest.maxTokens ?? Number.POSITIVE_INFINITY,
    isCosine: scorer !== "projection",
    directionOf: (pair: WantedTokens) =>
      scorer === "bank-max"
        ? bankVector(behavior, layer, pair.winner)
        : behavior.directions.get(layer),
  };
  const { before } = run.settings.checkpoints;
  // The same tokens as the vectors were made of.
  const { boundary } = manifest.checkpoint;
  const { ignoreUnread } = manifest.pairs;
  const reading = { template: manifest.template, boundary, ignoreUnread };
  const opened = await orWhy(() => host.open(run.at(before), reading));
  if (typeof opened === "string") return opened;
  if (opened.identity.checkpointHash !== manifest.checkpoint.checkpointHash) {
    await opened[Symbol.asyncDispose]();
    return "the checkpoint before has changed since the run";
  }
  return {
    of: (pairs, { signal, progress }) =>
      orWhy(() => computeShares(opened, pairs, { ...options, signal, progress })),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** What the engine gives, or why it does not: a run may have been copied here without its checkpoint. */
async function orWhy<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CulpritError)) throw error;
    return `the checkpoint before cannot be run (${error.message})`;
  }
}

function bankVector(
  { bank, scenarioIds, dim }: StoredBehavior,
  layer: number,
  winner: string | undefined,
): Float32Array | undefined {
  const row = scenarioIds.indexOf(winner ?? "");
  return row === -1 ? undefined : bank.get(layer)?.subarray(row * dim, (row + 1) * dim);
}

interface ShareOptions extends JobOptions {
  readonly label: string;
  readonly layer: number;
  readonly maxTokens: number;
  readonly isCosine: boolean;
  readonly directionOf: (pair: WantedTokens) => Float32Array | undefined;
}

async function computeShares(
  engine: Engine,
  pairs: readonly WantedTokens[],
  { label, layer, maxTokens, isCosine, directionOf, ...job }: ShareOptions,
): Promise<ReadonlyMap<string, TokenShares>> {
  const usable = pairs.flatMap((pair) => {
    const direction = directionOf(pair);
    const sides = tokenizeSides(
      engine,
      { prompt: pair.prompt, sides: [pair.chosen, pair.rejected], context: undefined },
      maxTokens,
      () => "",
    );
    if (direction === undefined || sides.kind === "unusable") return [];
    return [{ pair, direction, example: sides.example }];
  });
  const found = new Map<string, TokenShares>();
  const examples = usable.map(({ example }) => example);
  for await (const { index, activations } of engine.embedTokens(examples, { layer, ...job })) {
    const { pair, direction, example } = usable[index]!; // one of these
    const shares = sharesOf(activations, direction, isCosine);
    found.set(pair.id, describeShares(engine, example, shares, label));
  }
  return found;
}

/** What every token adds, chosen then rejected. */
function sharesOf(
  activations: readonly Float32Array[],
  direction: Float32Array,
  isCosine: boolean,
): readonly Float64Array[] {
  const dim = direction.length;
  const length = norm(direction);
  const difference = new Float64Array(dim);
  const shares = activations.map((tokens, side) => {
    const count = tokens.length / dim;
    const sign = side === 0 ? 1 : -1;
    return Float64Array.from({ length: count }, (_, t) => {
      let sum = 0;
      for (let d = 0; d < dim; d++) {
        const value = tokens[t * dim + d]!;
        sum += (value * direction[d]!) / length;
        difference[d]! += (sign * value) / count;
      }
      return (sign * sum) / count;
    });
  });
  // The length of v_d is known only when all tokens have been seen.
  const scale = isCosine ? Math.hypot(...difference) : 1;
  return shares.map((side) => side.map((share) => share / scale));
}

function describeShares(
  engine: Engine,
  example: TokenizedExample,
  shares: readonly Float64Array[],
  method: string,
): TokenShares {
  const all = shares.flatMap((side) => [...side]);
  const largest = Math.max(...all.map(Math.abs), Number.MIN_VALUE);
  const side = (i: number): TokenSide => {
    const pieces = tokenTexts(engine, example.responses[i]!);
    return {
      text: pieces.join(""),
      lengths: pieces.map((piece) => piece.length),
      shares: Array.from(shares[i]!, (share) => Math.round((1000 * share) / largest)),
    };
  };
  return {
    method,
    chosen: side(0),
    rejected: side(1),
    sum: Number(all.reduce((sum, share) => sum + share, 0).toPrecision(6)),
    largest: Number(largest.toPrecision(4)),
  };
}

/** Tokens before one that its text may depend on: a space at a word's start, a character in several tokens. */
const WINDOW = 8;

/** The text of each token: what it adds to that of those before it. */
function tokenTexts(engine: Pick<Engine, "decode">, tokens: Int32Array): string[] {
  let pending = "";
  return Array.from(tokens, (_, i) => {
    const start = Math.max(0, i - WINDOW);
    const before = engine.decode(tokens.subarray(start, i));
    const now = engine.decode(tokens.subarray(start, i + 1));
    // Part of a character has no text yet: the token that completes it has all of it.
    if (now.endsWith("\uFFFD")) {
      pending ||= before;
      return "";
    }
    const known = pending || before;
    pending = "";
    return now.startsWith(known)
      ? now.slice(known.length)
      : now.slice(Math.min(known.length, now.length));
  });
}
