import type OpenAI from "openai";

import type { Message } from "../format/messages.ts";
import { type EndpointSettings, openClient } from "./endpoint-client.ts";
import { EndpointFault } from "./endpoint-fault.ts";
import { readCompletion } from "./read-completion.ts";
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

/** A model behind an OpenAI-compatible address. */
export interface ChatEndpoint {
  readonly baseUrl: string;
  readonly model: string;
  /** Whether a key is sent. Default false. */
  readonly hasKey?: boolean | undefined;
  /** What stands behind the address. Default `/chat/completions`. */
  readonly path?: string | undefined;
  /** Sends one request. Throws EndpointFault, or the reason of `signal`. */
  ask(request: ChatRequest, signal?: AbortSignal): Promise<ChatAnswer>;
}

/** Opens an endpoint; sends nothing yet. Throws ConfigError where the address is none. */
export function openChatEndpoint(settings: EndpointSettings): ChatEndpoint {
  const { baseUrl, model } = settings;
  const { client, hasKey, sendOnce } = openClient(settings);
  let limitName: LimitName = "max_tokens";
  const leftOut = new Set<SpareField>();
  return {
    baseUrl,
    model,
    hasKey,
    async ask(request, signal) {
      const used = limitName;
      const without = FIELDS_TO_SPARE.filter((field) => leftOut.has(field));
      const body = withoutFields(toBody(request, model, used), without);
      try {
        const answer = await sendOnce(
          (abort) => client.chat.completions.create(body, { signal: abort }).asResponse(),
          readCompletion,
          signal,
        );
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
