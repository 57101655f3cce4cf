import OpenAI from "openai";

import type { Message } from "../format/messages.ts";
import { checkAddress, checkKey } from "./check-endpoint.ts";
import { EndpointFault, faultOf } from "./endpoint-fault.ts";
import type { ReportedTokens } from "./money.ts";
import { readCompletion } from "./read-completion.ts";

/** A JSON Schema that an answer must follow, where the endpoint can see to it. */
export interface AnswerSchema {
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** One question. */
export interface ChatRequest {
  readonly messages: readonly Message[];
  /** Tokens of the answer at most. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  readonly schema?: AnswerSchema | undefined;
}

/** One answer as it came, possibly empty. */
export interface ChatAnswer {
  readonly text: string;
  /** What came where the text is empty, as far as the endpoint says. */
  readonly instead?: "tool calls" | "thinking alone" | undefined;
  /** `filtered`: kept back by the endpoint. `refused`: the model declines, and the text is how. */
  readonly finish: "stop" | "length" | "filtered" | "refused";
  /** Undefined where the endpoint does not count. */
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
}

export interface EndpointSettings {
  /** Up to and with `/v1`, usually. */
  readonly baseUrl: string;
  readonly model: string;
  /** Default: none, as local servers want it. */
  readonly apiKey?: string | undefined;
  /** Of one request, answer included. Default 120,000. */
  readonly timeoutMs?: number | undefined;
}

/** A model behind an OpenAI-compatible address. */
export interface ChatEndpoint {
  readonly baseUrl: string;
  readonly model: string;
  /** Whether a key is sent. Default false. */
  readonly hasKey?: boolean | undefined;
  /** Sends one request. Throws EndpointFault, or the reason of `signal`. */
  ask(request: ChatRequest, signal?: AbortSignal): Promise<ChatAnswer>;
}

export const DEFAULT_TIMEOUT_MS = 120_000;

/** Opens an endpoint; sends nothing yet. Throws ConfigError where the address is none. */
export function openChatEndpoint(settings: EndpointSettings): ChatEndpoint {
  const { baseUrl, model, timeoutMs = DEFAULT_TIMEOUT_MS } = settings;
  checkAddress(baseUrl);
  const apiKey = checkKey(settings.apiKey);
  const client = new OpenAI({
    baseURL: baseUrl,
    // The package wants a key; without one no header is sent.
    apiKey: apiKey ?? "none",
    ...(apiKey === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    // Nothing of the environment may reach an address that it was not meant for.
    organization: null,
    project: null,
    maxRetries: 0, // ours are counted
    timeout: timeoutMs,
    logLevel: "off",
  });
  let limitName: "max_tokens" | "max_completion_tokens" = "max_tokens";
  return {
    baseUrl,
    model,
    hasKey: apiKey !== undefined,
    async ask(request, signal) {
      const used = limitName;
      try {
        return await askOnce(client, toBody(request, model, used), {
          timeoutMs,
          signal,
          apiKey,
        });
      } catch (error) {
        // OpenAI's newer models take the limit under the other name only.
        const isName =
          used === "max_tokens" &&
          error instanceof EndpointFault &&
          error.status === 400 &&
          error.detail.includes("max_completion_tokens");
        if (!isName) throw error;
        limitName = "max_completion_tokens";
        throw new EndpointFault("limit wanted under another name", "again", { cause: error });
      }
    },
  };
}

type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

function toBody(
  { messages, maxTokens, temperature, topP, seed, schema }: ChatRequest,
  model: string,
  limitName: "max_tokens" | "max_completion_tokens",
): Body {
  return {
    model,
    // Roles are checked when prompts are read; `tool` turns lack the id that OpenAI wants, local servers take them.
    messages: messages as Body["messages"],
    [limitName]: maxTokens,
    temperature,
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(schema === undefined
      ? {}
      : { response_format: { type: "json_schema", json_schema: { ...schema, strict: true } } }),
  };
}

interface Asking {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly apiKey: string | undefined;
}

async function askOnce(
  client: OpenAI,
  body: Body,
  { timeoutMs, signal, apiKey }: Asking,
): Promise<ChatAnswer> {
  signal?.throwIfAborted();
  const abort = new AbortController();
  const onAbort = (): void => abort.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  // The package's own limit ends with the headers; a body can hang too.
  const timer = setTimeout(onAbort, timeoutMs);
  let billed: ReportedTokens | undefined;
  try {
    const response = await client.chat.completions
      .create(body, { signal: abort.signal })
      .asResponse();
    billed = {}; // it is being answered
    return await readCompletion(response);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof EndpointFault) throw error;
    if (abort.signal.aborted)
      throw new EndpointFault("timed out", "again", { cause: error, billed });
    if (billed !== undefined) {
      throw new EndpointFault("connection cut", "again", { cause: error, billed });
    }
    throw faultOf(error, apiKey);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
