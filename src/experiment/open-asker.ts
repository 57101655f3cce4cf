import { type Asker, createAsker } from "../endpoint/asker.ts";
import { openChatEndpoint } from "../endpoint/chat-endpoint.ts";
import type { Prices } from "../endpoint/money.ts";
import { ConfigError } from "../util/errors.ts";
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
    apiKey: readKey(setting, settings.apiKeyEnv),
    timeoutMs: timeout * 1000,
  });
  return createAsker(endpoint, {
    concurrency,
    attempts,
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  });
}

/** Prices where the experiment has both. */
function endpointPrices({ priceIn, priceOut }: EndpointSettings): Prices | undefined {
  if (priceIn === undefined || priceOut === undefined) return undefined;
  return { promptPerMillion: priceIn, completionPerMillion: priceOut };
}

function readKey(setting: string, variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (key !== undefined && key !== "") return key;
  throw new ConfigError(
    `${setting}.apiKeyEnv: expected the name of a variable that is set, got another`,
    {
      hint: "Set it to the key before culprit run; the key itself never stands in the file.",
    },
  );
}
