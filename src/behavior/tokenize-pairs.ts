import type { UnusableReason } from "../data/preference-pair.ts";
import type { ResponsePair } from "../data/response-pairs.ts";
import type { Engine, TokenizedExample } from "../engine/engine.ts";
import {
  UnusableExampleError,
  type UnusableExampleReason,
} from "../model/prompt-renderer-error.ts";
import { truncateExample } from "../model/prompt-renderer-truncate.ts";

/** A response pair that gives no difference. */
export interface UnusablePair {
  readonly id: string;
  readonly reason: UnusableReason;
  readonly detail: string;
}

/** Response pairs as token ids: before, then after. */
export interface TokenizedPairs {
  readonly usable: readonly ResponsePair[];
  /** One for each usable pair. */
  readonly examples: readonly TokenizedExample[];
  readonly unusable: readonly UnusablePair[];
  /** Usable pairs of which a response was cut. */
  readonly truncated: number;
}

const REASONS: Readonly<Record<UnusableExampleReason, UnusableReason>> = {
  "empty-prompt": "empty-prompt",
  "empty-response": "empty-side",
  "prompt-not-kept": "prompt-not-kept",
  "template-refused": "template-refused",
};

/** Tokenises the pairs and cuts responses so that prompt and response have at most `maxTokens`; keeps the pairs' order. */
export function tokenizePairs(
  engine: Engine,
  pairs: readonly ResponsePair[],
  maxTokens: number,
): TokenizedPairs {
  const usable: ResponsePair[] = [];
  const examples: TokenizedExample[] = [];
  const unusable: UnusablePair[] = [];
  let truncated = 0;
  for (const pair of pairs) {
    const found = tokenizePair(engine, pair, maxTokens);
    if ("reason" in found) {
      unusable.push(found);
      continue;
    }
    usable.push(pair);
    examples.push(found.example);
    if (found.isTruncated) truncated += 1;
  }
  return { usable, examples, unusable, truncated };
}

function tokenizePair(
  engine: Engine,
  pair: ResponsePair,
  maxTokens: number,
): { example: TokenizedExample; isTruncated: boolean } | UnusablePair {
  const { id } = pair;
  let example;
  try {
    example = engine.tokenize(pair.prompt, [pair.before, pair.after]);
  } catch (error) {
    if (!(error instanceof UnusableExampleError)) throw error;
    return { id, reason: REASONS[error.reason], detail: error.message };
  }
  const cut = truncateExample(example, maxTokens);
  if (cut.kind === "prompt-too-long") return { id, reason: cut.kind, detail: cut.detail };
  const [before, after] = cut.example.responses as readonly [Int32Array, Int32Array]; // two went in
  if (before.length === after.length && before.every((token, i) => token === after[i])) {
    const detail = `before and after are the same ${before.length} tokens`;
    return { id, reason: "identical-sides", detail };
  }
  return { example: cut.example, isTruncated: cut.cutTokens.some((count) => count > 0) };
}
