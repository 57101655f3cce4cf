import type { ChatAnswer, ChatRequest } from "./chat-endpoint.ts";
import { estimatePromptTokens } from "./token-estimate.ts";

/** Money for a million tokens; the currency is the user's. */
export interface Prices {
  readonly promptPerMillion: number;
  readonly completionPerMillion: number;
}

interface TokenCount {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** What so many tokens cost; 0 without prices, and for tokens that nobody counted. */
export function costOf(
  { promptTokens = 0, completionTokens = 0 }: Pick<ChatAnswer, "promptTokens" | "completionTokens">,
  prices: Prices | undefined,
): number {
  if (prices === undefined) return 0;
  const { promptPerMillion, completionPerMillion } = prices;
  return (promptTokens * promptPerMillion + completionTokens * completionPerMillion) / 1e6;
}

/** Decides whether a request may be sent, and learns what it cost. */
export interface Purse {
  /** False where the request at its dearest no longer fits. */
  reserve(request: ChatRequest): boolean;
  /** The request has ended, with an answer or without one. */
  settle(request: ChatRequest, answer: ChatAnswer | undefined): void;
}

/**
 * A purse of `limit`, of which `spent` is gone. Requests under way count at their dearest, so more than the limit is spent only as far
 * as tokens were estimated too low.
 */
export function createPurse(
  limit: number,
  { spent, prices }: { readonly spent: number; readonly prices: Prices },
): Purse {
  let used = spent;
  return {
    reserve(request) {
      const amount = costOf(dearest(request), prices);
      if (used + amount > limit) return false;
      used += amount;
      return true;
    },
    settle(request, answer) {
      used -= costOf(dearest(request), prices);
      if (answer !== undefined) used += costOf(withCounts(request, answer), prices);
    },
  };
}

const dearest = ({ messages, maxTokens }: ChatRequest): TokenCount => ({
  promptTokens: estimatePromptTokens(messages),
  completionTokens: maxTokens,
});

/** An answer with its tokens estimated where the endpoint did not count them. */
export function withCounts(request: ChatRequest, answer: ChatAnswer): ChatAnswer & TokenCount {
  const { promptTokens, completionTokens, text } = answer;
  return {
    ...answer,
    promptTokens: promptTokens ?? estimatePromptTokens(request.messages),
    completionTokens:
      completionTokens ?? estimatePromptTokens([{ role: "assistant", content: text }]),
  };
}
