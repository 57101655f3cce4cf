import { ActivationError } from "../engine/activation-error.ts";
import type { EmbeddingEngine, EngineIdentity, TokenizedExample } from "../engine/engine.ts";
import { tokenizeResponses } from "../pairs/tokenize-sides.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { limitTokens } from "../util/setting-kinds.ts";
import type { PromptResponses } from "./prompt-responses.ts";

/** The samples of a prompt in two halves, those of even and those of odd number. */
export const HALVES = 2;

/**
 * What M0 reads in the responses of both checkpoints: for each prompt, checkpoint and half of its samples the mean, over these, of the
 * mean residual stream over a response's tokens. P prompts; a row has one layer's D numbers after another's, `width` in all.
 */
export interface ResponseStates {
  readonly identity: EngineIdentity;
  readonly layers: readonly number[];
  readonly width: number;
  /** [P] */
  readonly prompts: readonly PromptResponses[];
  /** Of M0's responses, one [P, width] for each half. */
  readonly before: readonly [Float32Array, Float32Array];
  /** Of M1's. */
  readonly after: readonly [Float32Array, Float32Array];
  /** Prompts that the checkpoint cannot read, with the reason. */
  readonly unusable: readonly { readonly id: string; readonly detail: string }[];
  /** Prompts of which a response was cut at the token limit. */
  readonly truncated: number;
}

export interface ReadStatesOptions extends JobOptions {
  /** Each in [0, layerCount] and once. */
  readonly layers: readonly number[];
  /** Prompt and response together, in tokens. Default 2048 or what the checkpoint can take. */
  readonly maxTokens?: number | undefined;
  /** Refuses to hold more than this, in bytes. Default 1 GiB: 4,000 prompts at 4096 dimensions. */
  readonly maxBytes?: number | undefined;
}

const DEFAULT_MAX_BYTES = 2 ** 30;

/**
 * Reads all responses on one checkpoint, M0. Responses of a prompt that are the same text are read once. Memory: prompts x layers x D x
 * 16 bytes, checked before anything is read. Throws ConfigError where that is too much or no prompt is usable, RuntimeError naming the
 * prompt where an activation is not finite.
 */
export async function readStates(
  engine: EmbeddingEngine,
  prompts: readonly PromptResponses[],
  { layers, maxTokens, maxBytes = DEFAULT_MAX_BYTES, signal, progress }: ReadStatesOptions,
): Promise<ResponseStates> {
  const { identity } = engine;
  const width = layers.length * identity.dim;
  checkSize(prompts.length * width * 16, maxBytes);
  const found = tokenizePrompts(engine, prompts, limitTokens(maxTokens, identity));
  const { usable, unusable } = found;
  if (usable.length === 0) throw noneUsable(unusable);
  const half = (): Float32Array => new Float32Array(usable.length * width);
  const states = { before: [half(), half()], after: [half(), half()] } as const;
  let done = 0;
  progress?.update(done, usable.length);
  const examples = usable.map(({ example }) => example);
  try {
    for await (const { index, means } of engine.embed(examples, { layers, signal })) {
      const { prompt, places } = usable[index]!;
      for (const side of ["before", "after"] as const) {
        const read = prompt[side].map((text) => means[places.get(text)!]!);
        for (let h = 0; h < HALVES; h++) {
          const target = states[side][h]!.subarray(index * width, (index + 1) * width);
          addMean(
            target,
            read.filter((_, sample) => sample % HALVES === h),
          );
        }
      }
      progress?.update(++done, usable.length);
    }
  } catch (error) {
    if (!(error instanceof ActivationError)) throw error;
    const { id } = usable[error.example]!.prompt;
    throw new RuntimeError(`prompt "${id}": an activation at layer ${error.layer} is not finite`, {
      hint: error.hint,
      cause: error,
    });
  }
  return {
    identity,
    layers,
    width,
    prompts: usable.map(({ prompt }) => prompt),
    ...states,
    unusable,
    truncated: found.truncated,
  };
}

interface UsablePrompt {
  readonly prompt: PromptResponses;
  readonly example: TokenizedExample;
  /** Which response of the example a text is. */
  readonly places: ReadonlyMap<string, number>;
}

function tokenizePrompts(
  engine: EmbeddingEngine,
  prompts: readonly PromptResponses[],
  maxTokens: number,
): {
  readonly usable: readonly UsablePrompt[];
  readonly unusable: { readonly id: string; readonly detail: string }[];
  readonly truncated: number;
} {
  const usable: UsablePrompt[] = [];
  const unusable: { id: string; detail: string }[] = [];
  let truncated = 0;
  for (const each of prompts) {
    const texts = [...new Set([...each.before, ...each.after])];
    const responses = texts.map((content) => [{ role: "assistant", content }] as const);
    // Rollouts are of plain prompts.
    const turns = { prompt: each.prompt, responses, context: undefined };
    const found = tokenizeResponses(engine, turns, maxTokens);
    if (found.kind === "unusable") {
      unusable.push({ id: each.id, detail: found.detail });
      continue;
    }
    if (found.isTruncated) truncated += 1;
    const places = new Map(texts.map((text, i) => [text, i]));
    usable.push({ prompt: each, example: found.example, places });
  }
  return { usable, unusable, truncated };
}

function addMean(target: Float32Array, rows: readonly Float32Array[]): void {
  for (let j = 0; j < target.length; j++) {
    let sum = 0;
    for (const row of rows) sum += row[j]!;
    target[j] = sum / rows.length;
  }
}

function checkSize(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  throw new ConfigError(
    `the states of the responses need ${gib(sizeBytes)} GiB of memory, the limit is ${gib(maxBytes)} GiB`,
    { hint: "Ask for fewer layers, or give a sample of the prompts." },
  );
}

function noneUsable(unusable: readonly { readonly id: string; readonly detail: string }[]): Error {
  const [first] = unusable;
  return new ConfigError(
    `prompts: none of ${unusable.length} is usable; the first, "${first?.id}": ${first?.detail}`,
  );
}
