import type { AnswerStore } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import type { EndpointCost } from "./cost.ts";

/** What a stage's asking took. Tokens and money by the store, which has every answer on disk before it counts: a killed attempt leaves none out. */
export function endpointLedger(
  { counts }: Asker,
  { own }: AnswerStore,
  hasPrices: boolean,
): EndpointCost {
  const { promptTokens, completionTokens, cost } = own;
  return {
    requests: counts.requests,
    promptTokens,
    completionTokens,
    ...(hasPrices ? { money: cost } : {}),
  };
}
