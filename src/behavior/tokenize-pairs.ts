import { z } from "zod";

import type { EmbeddingEngine, TokenizedExample } from "../engine/engine.ts";
import { createHiddenCounter, type HiddenCounts } from "../pairs/hidden-counts.ts";
import { UNUSABLE_REASONS } from "../pairs/preference-pair.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { tokenizeSides } from "../pairs/tokenize-sides.ts";
import type { Plain } from "../util/artifact.ts";

/** A response pair that gives no difference. */
export const unusablePairSchema = z.strictObject({
  id: z.string(),
  reason: z.enum(UNUSABLE_REASONS),
  detail: z.string(),
});
export type UnusablePair = Plain<typeof unusablePairSchema>;

/** Response pairs as token ids: before, then after. */
export interface TokenizedPairs {
  readonly usable: readonly ResponsePair[];
  /** One for each usable pair. */
  readonly examples: readonly TokenizedExample[];
  readonly unusable: readonly UnusablePair[];
  /** Usable pairs of which a response was cut. */
  readonly truncated: number;
  /** What usable pairs say and the template shows in part or not at all. */
  readonly hidden: HiddenCounts;
}

/** Tokenises the pairs and cuts responses so that prompt and response have at most `maxTokens`; keeps the pairs' order. */
export function tokenizePairs(
  engine: EmbeddingEngine,
  pairs: readonly ResponsePair[],
  maxTokens: number,
): TokenizedPairs {
  const usable: ResponsePair[] = [];
  const examples: TokenizedExample[] = [];
  const unusable: UnusablePair[] = [];
  const hidden = createHiddenCounter();
  let truncated = 0;
  for (const pair of pairs) {
    const sides = [pair.before, pair.after] as const;
    const found = tokenizeSides(
      engine,
      { prompt: pair.prompt, sides, context: pair.context },
      maxTokens,
      ({ tokens }) => `before and after are the same ${tokens} tokens`,
    );
    if (found.kind === "unusable") {
      unusable.push({ id: pair.id, reason: found.reason, detail: found.detail });
      continue;
    }
    usable.push(pair);
    examples.push(found.example);
    hidden.add(found.example.hidden);
    if (found.isTruncated) truncated += 1;
  }
  return { usable, examples, unusable, truncated, hidden: hidden.report() };
}
