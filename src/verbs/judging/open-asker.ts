import {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "../../endpoint/answer-store.ts";
import { type Asker, createAsker } from "../../endpoint/asker.ts";
import { openChatEndpoint } from "../../endpoint/chat-endpoint.ts";
import { keyOfVariable } from "../../endpoint/check-endpoint.ts";
import { costOf, type Prices } from "../../endpoint/money.ts";
import type { EndpointSettings } from "../settings/endpoint.ts";
import { type Contradiction, need } from "../verb.ts";

/**
 * The endpoint that settings describe, with its retries and limits; sends nothing yet. The key is read from the environment here and kept
 * nowhere. Throws ConfigError naming `setting` where the variable is not set.
 */
export function openAsker(settings: EndpointSettings, setting = "endpoint"): Asker {
  const { baseUrl, model, timeout, apiKeyEnv, ...pace } = settings;
  const endpoint = openChatEndpoint({
    baseUrl,
    model,
    apiKey: keyOfVariable(`${setting}.apiKeyEnv`, apiKeyEnv),
    timeoutMs: timeout * 1000,
  });
  return createAsker(endpoint, pace);
}

/** Prices where there are both. */
export function pricesOf({ priceIn, priceOut }: EndpointSettings): Prices | undefined {
  if (priceIn === undefined || priceOut === undefined) return undefined;
  return { promptPerMillion: priceIn, completionPerMillion: priceOut };
}

/** The answers of an endpoint that are kept at `path`, priced as its settings say. */
export function openAnswers(
  path: string,
  endpoint: EndpointSettings,
  options: AnswerStoreOptions,
): Promise<AnswerStore> {
  const prices = pricesOf(endpoint);
  return openAnswerStore(path, (answer) => costOf(answer, prices), options);
}

/** A price by itself gives no costs. */
export function priceContradictions(
  endpoint: EndpointSettings | undefined,
  at: readonly string[],
): readonly Contradiction[] {
  const given = endpoint?.priceIn === undefined ? "priceOut" : "priceIn";
  return need(
    (endpoint?.priceIn === undefined) === (endpoint?.priceOut === undefined),
    [...at, given],
    "expected both priceIn and priceOut, got one",
  );
}
