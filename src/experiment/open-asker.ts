import { type Asker, createAsker } from "../endpoint/asker.ts";
import { openChatEndpoint } from "../endpoint/chat-endpoint.ts";
import { keyOfVariable } from "../endpoint/check-endpoint.ts";
import type { Prices } from "../endpoint/money.ts";
import type { EndpointSettings } from "./schema-judge.ts";

/** An endpoint that stages ask. */
export interface EndpointInput {
  readonly settings: EndpointSettings;
  readonly prices: Prices | undefined;
  /** A new one, so that its counts are the stage's. */
  readonly openAsker: () => Asker;
}

/** Throws ConfigError naming the setting where the key is not set: before anything is made. */
export function openEndpoint(setting: string, settings: EndpointSettings): EndpointInput {
  openAsker(setting, settings);
  return {
    settings,
    prices: endpointPrices(settings),
    openAsker: () => openAsker(setting, settings),
  };
}

/**
 * The endpoint of an experiment file; sends nothing yet. The key is read from the environment here and kept nowhere. Throws ConfigError
 * naming `setting` where the variable is not set.
 */
function openAsker(setting: string, settings: EndpointSettings): Asker {
  const { baseUrl, model, timeout, concurrency, attempts } = settings;
  const { requestsPerMinute, tokensPerMinute } = settings;
  const endpoint = openChatEndpoint({
    baseUrl,
    model,
    apiKey: keyOfVariable(`${setting}.apiKeyEnv`, settings.apiKeyEnv),
    timeoutMs: timeout * 1000,
  });
  return createAsker(endpoint, {
    concurrency,
    attempts,
    requestsPerMinute,
    tokensPerMinute,
  });
}

/** Prices where the experiment has both. */
function endpointPrices({ priceIn, priceOut }: EndpointSettings): Prices | undefined {
  if (priceIn === undefined || priceOut === undefined) return undefined;
  return { promptPerMillion: priceIn, completionPerMillion: priceOut };
}
