import type { AnswerStore } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import type { EndpointCost } from "./cost.ts";

/**
 * Reads what a stage's asking took. Answers, tokens and money are by the store, which has every answer on disk before it counts: no
 * attempt, however it ended, leaves one out. Requests are the answers of earlier attempts and all that this one sent; see
 * addEarlierRequests. To be called before anything is asked.
 */
export function endpointLedger(
  { counts }: Asker,
  { own }: AnswerStore,
  hasPrices: boolean,
): () => EndpointCost {
  const answered = (): number => own.answers + own.broken;
  const answeredBefore = answered();
  return () => ({
    requests: answeredBefore + counts.requests,
    answers: answered(),
    promptTokens: own.promptTokens,
    completionTokens: own.completionTokens,
    ...(own.estimated === 0 ? {} : { estimated: own.estimated }),
    ...(hasPrices ? { money: own.cost } : {}),
  });
}

/** Adds what earlier attempts, by their last sign of life, sent without an answer: `now` has the answers of all attempts. */
export function addEarlierRequests(
  before: EndpointCost | undefined,
  now: EndpointCost | undefined,
): EndpointCost | undefined {
  if (now === undefined || before === undefined) return now ?? before;
  const unanswered = Math.max(0, before.requests - (before.answers ?? before.requests));
  return { ...now, requests: now.requests + unanswered };
}
