import { ActivationError } from "../engine/activation-error.ts";
import type { EmbeddedExample, EmbeddingEngine, EngineIdentity } from "../engine/engine.ts";
import { expectLayers, STATES } from "../engine/features.ts";
import { describeHidden } from "../pairs/hidden-counts.ts";
import { promptKey } from "../pairs/prompt-key.ts";
import { NoUsablePairError, type ResponsePair } from "../pairs/response-pairs.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { norm } from "../util/vector.ts";
import type { RemovedDirections } from "./project-out.ts";
import { tokenizePairs, type TokenizedPairs, type UnusablePair } from "./tokenize-pairs.ts";

/** Both responses of n usable response pairs as one checkpoint reads them, in the order of the pairs. */
export interface ResponseActivations {
  readonly identity: EngineIdentity;
  readonly layers: readonly number[];
  /** Per layer [n, D] row by row: mean residual stream over the after-response minus that over the before-response. */
  readonly differences: ReadonlyMap<number, Float32Array>;
  /** Per layer [n, D]: mean residual stream over the before-response. */
  readonly before: ReadonlyMap<number, Float32Array>;
  /** Per layer [n]: the length of the before-response's mean activation, the yardstick for the length of a difference. */
  readonly beforeNorms: ReadonlyMap<number, Float32Array>;
  /** [n] */
  readonly pairIds: readonly string[];
  /** [n]: equal for pairs of one group, or, where they name none, whose prompts have the same turns. */
  readonly promptKeys: readonly string[];
  /** [n] */
  readonly scenarios: readonly string[];
  /** Tokens of the responses as they were read, [n] each. */
  readonly responseTokens: { readonly before: Int32Array; readonly after: Int32Array };
  /** What was projected out of differences and before-activations, if anything; see projectOut. */
  readonly removed?: RemovedDirections | undefined;
  readonly unusable: readonly UnusablePair[];
  /** Limit for prompt and response together. */
  readonly maxTokens: number;
  /** Usable pairs of which a response was cut at the token limit. */
  readonly truncated: number;
}

export interface CollectOptions extends JobOptions {
  /** Residual-stream layers, each in [0, layerCount] and once. */
  readonly layers: readonly number[];
  /** Prompt and response together, in tokens; the response is cut. Default 2048 or what the checkpoint can take. */
  readonly maxTokens?: number | undefined;
  /** Refuses to hold more than this, in bytes. Default 4 GiB: 8 layers of 4096 dimensions for 16,384 pairs. */
  readonly maxBytes?: number | undefined;
  /** Hears what the template shows of the pairs in part or not at all. */
  readonly onWarning?: ((line: string) => void) | undefined;
}

const DEFAULT_MAX_TOKENS = 2048;
const DEFAULT_MAX_BYTES = 4 * 2 ** 30;

/**
 * Reads both responses of every pair on the same checkpoint (never the after-side on the trained model) and keeps the
 * before-side and the difference. Memory: pairs x layers x D x 8 bytes, plus the token ids; checked before anything is read.
 * Throws ConfigError for layers or limits that do not fit the checkpoint, NoUsablePairError naming a pair where none is usable, RuntimeError
 * naming the pair where an activation is not finite.
 */
export async function collectActivations(
  engine: EmbeddingEngine,
  pairs: readonly ResponsePair[],
  options: CollectOptions,
): Promise<ResponseActivations> {
  const { layers } = options;
  const { dim } = engine.identity;
  checkLayers(layers, engine.identity);
  const maxTokens = resolveMaxTokens(options.maxTokens, engine.identity);
  checkSize(pairs.length * layers.length * dim * 8, options.maxBytes ?? DEFAULT_MAX_BYTES);

  const tokenized = tokenizePairs(engine, pairs, maxTokens);
  const { usable, unusable, truncated } = tokenized;
  if (usable.length === 0) throw noUsablePair(unusable);
  for (const line of describeHidden(tokenized.hidden, usable.length)) options.onWarning?.(line);
  const vectors = await embedDifferences(engine, tokenized, options);
  return {
    identity: engine.identity,
    layers,
    ...vectors,
    responseTokens: countTokens(tokenized),
    pairIds: usable.map((pair) => pair.id),
    promptKeys: usable.map((pair) => pair.group ?? promptKey(pair.prompt, pair.context)),
    scenarios: usable.map((pair) => pair.scenario),
    unusable,
    maxTokens,
    truncated,
  };
}

async function embedDifferences(
  engine: EmbeddingEngine,
  { usable, examples }: TokenizedPairs,
  { layers, signal, progress }: CollectOptions,
): Promise<Pick<ResponseActivations, "differences" | "before" | "beforeNorms">> {
  const { dim } = engine.identity;
  const floats = (length: number): Map<number, Float32Array> =>
    new Map(layers.map((layer) => [layer, new Float32Array(length)]));
  const differences = floats(usable.length * dim);
  const before = floats(usable.length * dim);
  const beforeNorms = floats(usable.length);
  const keep = ({ index, means }: EmbeddedExample): void => {
    const [without, shown] = means as readonly [Float32Array, Float32Array]; // two responses went in
    for (const [l, layer] of layers.entries()) {
      const difference = differences.get(layer)!.subarray(index * dim, (index + 1) * dim);
      const row = without.subarray(l * dim, (l + 1) * dim);
      for (let j = 0; j < dim; j++) difference[j] = shown[l * dim + j]! - row[j]!;
      before.get(layer)!.set(row, index * dim);
      beforeNorms.get(layer)![index] = norm(row);
    }
  };
  let done = 0;
  progress?.update(done, usable.length);
  try {
    const job = signal === undefined ? { layers } : { layers, signal };
    for await (const embedded of engine.embed(examples, job)) {
      keep(embedded);
      done += 1;
      progress?.update(done, usable.length);
    }
  } catch (error) {
    if (!(error instanceof ActivationError)) throw error;
    const { id } = usable[error.example]!;
    throw new RuntimeError(
      `response pair "${id}": an activation at layer ${error.layer} is not finite`,
      { hint: error.hint, cause: error },
    );
  }
  if (done !== usable.length) {
    throw new Error(`internal: the engine embedded ${done} of ${usable.length} examples`);
  }
  return { differences, before, beforeNorms };
}

function countTokens({ examples }: TokenizedPairs): ResponseActivations["responseTokens"] {
  const side = (which: number): Int32Array =>
    Int32Array.from(examples, ({ responses }) => responses[which]!.length);
  return { before: side(0), after: side(1) };
}

function checkLayers(layers: readonly number[], identity: EngineIdentity): void {
  expectLayers(layers, identity, identity.features ?? STATES);
  if (new Set(layers).size < layers.length) {
    throw new ConfigError(`layers: expected each once, got ${layers.join(",")}`);
  }
}

function resolveMaxTokens(asked: number | undefined, identity: EngineIdentity): number {
  if (asked === undefined) return Math.min(DEFAULT_MAX_TOKENS, identity.maxPositions);
  if (asked > identity.maxPositions) {
    throw new ConfigError(
      `max tokens: ${identity.name} has ${identity.maxPositions} positions, got ${asked}`,
    );
  }
  return asked;
}

function checkSize(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  throw new ConfigError(
    `the activations need ${toGib(sizeBytes)} GiB of memory, the limit is ${toGib(maxBytes)} GiB`,
    { hint: "Ask for fewer layers, or give a sample of the response pairs." },
  );
}

function toGib(sizeBytes: number): string {
  return (sizeBytes / 2 ** 30).toFixed(1);
}

function noUsablePair(unusable: readonly UnusablePair[]): NoUsablePairError {
  const [first] = unusable;
  return new NoUsablePairError(
    first === undefined
      ? "response pairs: expected at least one, got none"
      : `response pairs: none of ${unusable.length} is usable; the first, "${first.id}": ${first.detail}`,
    {
      hint: "Two responses to a prompt have to differ as the checkpoint reads them, within max tokens.",
    },
  );
}
