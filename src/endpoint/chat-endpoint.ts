import OpenAI, { APIConnectionError, APIError } from "openai";
import { z } from "zod";

import type { Message } from "../format/messages.ts";
import { ConfigError } from "../util/errors.ts";
import { EndpointFault, faultOfConnection, faultOfStatus } from "./endpoint-fault.ts";

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
  readonly topP?: number;
  readonly seed?: number;
  readonly schema?: AnswerSchema;
}

/** One answer as it came, possibly empty. */
export interface ChatAnswer {
  readonly text: string;
  readonly finish: "stop" | "length" | "filtered";
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
  readonly timeoutMs?: number;
}

/** A model behind an OpenAI-compatible address. */
export interface ChatEndpoint {
  readonly baseUrl: string;
  readonly model: string;
  /** Sends one request. Throws EndpointFault, or the reason of `signal`. */
  ask(request: ChatRequest, signal?: AbortSignal): Promise<ChatAnswer>;
}

export const DEFAULT_TIMEOUT_MS = 120_000;
/** A broken server must not fill the memory. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;
const MAX_DETAIL = 500;

/** Opens an endpoint; sends nothing yet. Throws ConfigError where the address is none. */
export function openChatEndpoint(settings: EndpointSettings): ChatEndpoint {
  const { baseUrl, model, apiKey, timeoutMs = DEFAULT_TIMEOUT_MS } = settings;
  checkUrl(baseUrl);
  const client = new OpenAI({
    baseURL: baseUrl,
    // The package wants a key; servers that want none ignore it.
    apiKey: apiKey ?? "none",
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
    async ask(request, signal) {
      const used = limitName;
      try {
        return await askOnce(client, toBody(request, model, used), { timeoutMs, signal });
      } catch (error) {
        // OpenAI's newer models take the limit under the other name only.
        const isName =
          used === "max_tokens" &&
          error instanceof EndpointFault &&
          error.status === 400 &&
          error.detail.includes("max_completion_tokens");
        if (!isName) throw error;
        limitName = "max_completion_tokens";
        throw new EndpointFault("limit wanted under another name", "again", {
          retryAfterMs: 0,
          cause: error,
        });
      }
    },
  };
}

function checkUrl(baseUrl: string): void {
  const isHttp = URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol);
  if (isHttp) return;
  throw new ConfigError("endpoint: expected an address such as http://localhost:8000/v1", {
    hint: "The base URL is what stands before /chat/completions.",
  });
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

async function askOnce(
  client: OpenAI,
  body: Body,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
): Promise<ChatAnswer> {
  signal?.throwIfAborted();
  const abort = new AbortController();
  const onAbort = (): void => abort.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  // The package's own limit ends with the headers; a body can hang too.
  const timer = setTimeout(onAbort, timeoutMs);
  try {
    const response = await client.chat.completions
      .create(body, { signal: abort.signal })
      .asResponse();
    return parseAnswer(await readBounded(response));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof EndpointFault) throw error;
    if (abort.signal.aborted) throw new EndpointFault("timed out", "again", { cause: error });
    throw faultOf(error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function faultOf(error: unknown): EndpointFault {
  if (error instanceof APIError && error.status !== undefined) {
    const status = error.status as number; // not undefined, see above
    return faultOfStatus(
      status,
      (error.headers as Headers | undefined) ?? new Headers(),
      `${error.code ?? ""} ${error.message}`.slice(0, MAX_DETAIL),
    );
  }
  if (error instanceof APIConnectionError && /timed? ?out/i.test(error.message)) {
    return new EndpointFault("timed out", "again", { cause: error });
  }
  return faultOfConnection(error);
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new EndpointFault("answer too large", "item");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

const ANSWER = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: z.number().nonnegative().nullish(),
      completion_tokens: z.number().nonnegative().nullish(),
    })
    .nullish(),
});

function parseAnswer(text: string): ChatAnswer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EndpointFault("answer is not JSON", "again", { cause });
  }
  const parsed = ANSWER.safeParse(json);
  if (!parsed.success) {
    throw new EndpointFault("answer is no chat completion", "again", { cause: parsed.error });
  }
  const { message, finish_reason: reason } = parsed.data.choices[0]!; // the schema wants one
  return {
    text: message.content ?? message.refusal ?? "",
    finish: reason === "length" ? "length" : reason === "content_filter" ? "filtered" : "stop",
    promptTokens: parsed.data.usage?.prompt_tokens ?? undefined,
    completionTokens: parsed.data.usage?.completion_tokens ?? undefined,
  };
}
