import type { ChatAnswer, ChatRequest } from "./chat-endpoint.ts";
import { estimatePromptTokens } from "./token-estimate.ts";

/** Money for a million tokens; the currency is the user's. */
export interface Prices {
  readonly promptPerMillion: number;
  readonly completionPerMillion: number;
}

/** What a request took. */
export interface TokenCount {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** The endpoint left one of them out; that one is estimated by bytes, or counted at its greatest. */
  readonly isEstimated?: true | undefined;
}

/** The tokens that an endpoint says a request took, as far as it does. */
export interface ReportedTokens {
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
}

/** What so many tokens cost; 0 without prices, and for tokens that nobody counted. */
export function costOf(
  { promptTokens = 0, completionTokens = 0 }: ReportedTokens,
  prices: Prices | undefined,
): number {
  if (prices === undefined) return 0;
  const { promptPerMillion, completionPerMillion } = prices;
  return (promptTokens * promptPerMillion + completionTokens * completionPerMillion) / 1e6;
}

/** Decides whether a request may be sent, and learns what it cost. */
export interface Purse {
  /**
   * Waits, in order of arrival, until the request at its dearest fits; undefined where it does not although nothing is under way any
   * more. Else the reserve must be settled.
   */
  reserve(request: ChatRequest): Promise<Reserve | undefined>;
}

/** What is set aside for a request under way. */
export interface Reserve {
  /** The request has ended; `taken` is undefined where it took nothing. */
  settle(taken: TokenCount | undefined): void;
}

interface Waiting {
  readonly dearest: number;
  readonly decide: (reserve: Reserve | undefined) => void;
}

/**
 * A purse of `limit`, of which `spent` is gone. Requests under way count at their dearest by our estimate, and dearer where an answer has
 * shown that this is too low: more than the limit is spent only by requests that were under way until then.
 */
export function createPurse(
  limit: number,
  { spent, prices }: { readonly spent: number; readonly prices: Prices },
): Purse {
  let used = spent;
  let reserved = 0;
  let underWay = 0;
  /** By how much the dearest answer so far was dearer than it could be by our estimate. */
  let excess = 1;
  const waiting: Waiting[] = [];
  const setAside = (amount: number, dearest: number): Reserve => {
    reserved += amount;
    underWay++;
    return {
      settle(taken) {
        underWay--;
        reserved = underWay === 0 ? 0 : reserved - amount; // sums of fractions drift
        if (taken !== undefined) {
          const cost = costOf(taken, prices);
          used += cost;
          if (dearest > 0) excess = Math.max(excess, cost / dearest);
        }
        pump();
      },
    };
  };
  const pump = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const amount = next.dearest * excess;
      const fits = used + reserved + amount <= limit;
      if (!fits && underWay > 0) return; // what is under way may give some back
      waiting.shift();
      next.decide(fits ? setAside(amount, next.dearest) : undefined);
    }
  };
  return {
    reserve: (request) =>
      new Promise((decide) => {
        waiting.push({ dearest: costOf(dearestOf(request), prices), decide });
        pump();
      }),
  };
}

const dearestOf = ({ messages, maxTokens }: ChatRequest): TokenCount => ({
  promptTokens: estimatePromptTokens(messages),
  completionTokens: maxTokens,
});

/** An answer with its tokens estimated where the endpoint did not count them. */
export function withCounts(request: ChatRequest, answer: ChatAnswer): ChatAnswer & TokenCount {
  const { promptTokens, completionTokens, text, finish } = answer;
  const isCounted = promptTokens !== undefined && completionTokens !== undefined;
  const length = (): number =>
    finish === "length"
      ? request.maxTokens
      : estimatePromptTokens([{ role: "assistant", content: text }]);
  return {
    ...answer,
    promptTokens: promptTokens ?? estimatePromptTokens(request.messages),
    completionTokens: completionTokens ?? length(),
    isEstimated: isCounted ? undefined : true,
  };
}

/** What an answer took that cannot be used; at its dearest where the endpoint does not say. */
export function brokenCounts(request: ChatRequest, reported: ReportedTokens): TokenCount {
  const { promptTokens, completionTokens } = reported;
  const most = dearestOf(request);
  const isCounted = promptTokens !== undefined && completionTokens !== undefined;
  return {
    promptTokens: promptTokens ?? most.promptTokens,
    completionTokens: completionTokens ?? most.completionTokens,
    isEstimated: isCounted ? undefined : true,
  };
}
