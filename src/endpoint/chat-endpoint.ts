import OpenAI, { type APIError } from "openai";

import type { Message } from "../format/messages.ts";
import { checkAddress, checkKey } from "./check-endpoint.ts";
import { EndpointFault, faultOf } from "./endpoint-fault.ts";
import type { ReportedTokens } from "./money.ts";
import { readCompletion } from "./read-completion.ts";
import { refusalCode, refusalWords } from "./refusal-words.ts";
import { FIELDS_TO_SPARE, refusedFields, type SpareField } from "./refused-fields.ts";

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
  /**
   * `filtered`: kept back by the endpoint. `refused`: the model declines, and the text is how. `unknown`: the endpoint gives no reason, or one
   * that says nothing to us, so that the answer may be whole or cut.
   */
  readonly finish: "stop" | "length" | "filtered" | "refused" | "unknown";
  /** The endpoint's word where `finish` is unknown and there is one. */
  readonly reason?: string | undefined;
  /** Fields of the request that the endpoint does not take: it was asked without them. */
  readonly leftOut?: readonly SpareField[] | undefined;
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
  const client = new Client({
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
  let limitName: LimitName = "max_tokens";
  const leftOut = new Set<SpareField>();
  return {
    baseUrl,
    model,
    hasKey: apiKey !== undefined,
    async ask(request, signal) {
      const used = limitName;
      const without = FIELDS_TO_SPARE.filter((field) => leftOut.has(field));
      const body = withoutFields(toBody(request, model, used), without);
      try {
        const answer = await askOnce(client, body, { timeoutMs, signal, apiKey });
        return without.length === 0 ? answer : { ...answer, leftOut: without };
      } catch (error) {
        if (!(error instanceof EndpointFault)) throw error;
        // OpenAI's newer models take the limit under the other name only.
        const isRefused = error.status === 400 || error.status === 422;
        if (used === "max_tokens" && isRefused && error.detail.includes("max_completion_tokens")) {
          limitName = "max_completion_tokens";
          throw new EndpointFault("limit wanted under another name", "form", { cause: error });
        }
        const refused = refusedFields(
          error,
          FIELDS_TO_SPARE.filter((field) => field in body),
        );
        if (refused.length === 0) throw error;
        for (const field of refused) leftOut.add(field);
        throw new EndpointFault(`asked again without ${refused.join(", ")}`, "form", {
          cause: error,
          status: error.status,
          detail: error.detail,
        });
      }
    },
  };
}

/** The package keeps the member `error` of a refusal alone; other servers say elsewhere why they refuse. */
class Client extends OpenAI {
  protected override makeStatusError(
    status: number,
    body: object | undefined,
    text: string | undefined,
    headers: Headers,
  ): APIError {
    const said = { message: refusalWords(body ?? text), code: refusalCode(body) };
    return super.makeStatusError(status, { error: said }, undefined, headers);
  }
}

type LimitName = "max_tokens" | "max_completion_tokens";
type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

function toBody(
  { messages, maxTokens, temperature, topP, seed, schema }: ChatRequest,
  model: string,
  limitName: LimitName,
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

function withoutFields(body: Body, fields: readonly SpareField[]): Body {
  const rest = { ...body };
  for (const field of fields) delete rest[field];
  return rest;
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
    if (error instanceof EndpointFault) throw faultOf(error, apiKey);
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
