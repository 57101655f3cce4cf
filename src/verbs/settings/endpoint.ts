import { z } from "zod";

import { DEFAULT_ATTEMPTS } from "../../endpoint/asker.ts";
import { DEFAULT_TIMEOUT_MS } from "../../endpoint/endpoint-client.ts";
import { DEFAULT_CONCURRENCY } from "../../endpoint/request-gate.ts";
import { count, nonNegative, positive, nonEmpty } from "../../util/setting-kinds.ts";

/** How an endpoint is paced and paid changes no answer. */
const pace = { counts: false };

const price = nonNegative.optional();

/** An OpenAI-compatible endpoint, and how it is asked. */
export const endpointSettings = z.strictObject({
  baseUrl: z
    .url({ protocol: /^https?$/, error: "expected an address such as http://localhost:8000/v1" })
    .meta({
      description:
        "An OpenAI-compatible endpoint: what stands before /chat/completions, http://localhost:8000/v1 say.",
      placeholder: "URL",
    }),
  model: nonEmpty.meta({
    description: "The model, as the endpoint calls it.",
    placeholder: "NAME",
  }),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
      error: "expected the name of an environment variable, never the key itself",
    })
    .optional()
    .meta({
      description: "Environment variable that holds the key. Absent: no key is sent.",
      placeholder: "VAR",
      ...pace,
    }),
  concurrency: count
    .max(4096)
    .default(DEFAULT_CONCURRENCY)
    .meta({ description: "Requests at once.", ...pace }),
  requestsPerMinute: positive
    .optional()
    .meta({ description: "Requests started in a minute, at most. Absent: no limit.", ...pace }),
  tokensPerMinute: z
    .number()
    .min(1)
    .optional()
    .meta({
      description: "Tokens of prompts and answers in a minute, by estimate. Absent: no limit.",
      ...pace,
    }),
  attempts: count
    .max(100)
    .default(DEFAULT_ATTEMPTS)
    .meta({ description: "Requests for one item at most, failed ones counted.", ...pace }),
  timeout: z
    .number()
    .min(0.001)
    .max(86_400)
    .default(DEFAULT_TIMEOUT_MS / 1000)
    .meta({ description: "Seconds of one request, answer included.", ...pace }),
  maxMissing: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .meta({
      description:
        "Share of what it is asked that may end without an answer; beyond it the run fails, and what came is kept.",
      ...pace,
    }),
  priceIn: price.meta({
    description: "Money for a million prompt tokens. Absent: costs are in tokens only.",
    ...pace,
  }),
  priceOut: price.meta({
    description: "Money for a million answer tokens. Absent: costs are in tokens only.",
    ...pace,
  }),
});
export type EndpointSettings = z.output<typeof endpointSettings>;

/** The same for few questions, asked one after another, none of which the run hangs on. */
export const fewQuestionsSettings = endpointSettings.omit({ concurrency: true, maxMissing: true });
/** What asking itself reads: the share that may be missing is judged by whoever asks. */
export type AskedEndpoint = z.output<typeof fewQuestionsSettings> &
  Partial<Pick<EndpointSettings, "concurrency">>;
