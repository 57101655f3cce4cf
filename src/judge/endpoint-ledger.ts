import type { AnswerStore } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import type { EndpointCost } from "../engine/cost.ts";

/**
 * Reads what a stage's asking took, with what it took `before`. Answers, tokens and money are by the store, which has every answer on
 * disk before it counts: no attempt, however it ended, leaves one out. A killed attempt sent what it last said, or what was answered and,
 * by what it last said, failed, whichever is more. To be called before anything is asked.
 */
export function endpointLedger(
  { counts }: Asker,
  { own }: AnswerStore,
  hasPrices: boolean,
): (before: EndpointCost | undefined) => EndpointCost {
  const answeredBefore = own.answers + own.broken;
  const brokenBefore = own.broken;
  return ({ requests, failed = 0 } = NOTHING) => {
    const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
    const failedNow = Math.max(0, faults - (own.broken - brokenBefore));
    return {
      requests: Math.max(requests, failed + answeredBefore) + counts.requests,
      answers: own.answers + own.broken,
      failed: failed + failedNow,
      promptTokens: own.promptTokens,
      completionTokens: own.completionTokens,
      estimated: own.estimated === 0 ? undefined : own.estimated,
      money: hasPrices ? own.cost : undefined,
    };
  };
}

const NOTHING: EndpointCost = { requests: 0, promptTokens: 0, completionTokens: 0 };
