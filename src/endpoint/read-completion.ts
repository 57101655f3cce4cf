import { z } from "zod";

import type { ChatAnswer } from "./chat-endpoint.ts";
import { EndpointFault, MAX_DETAIL } from "./endpoint-fault.ts";
import { readFinishReason } from "./finish-reason.ts";
import type { ReportedTokens } from "./money.ts";

/** A broken server must not fill the memory. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;
/** Of a finish reason that means nothing to us. */
const MAX_REASON = 40;

/** The answer in a response to /chat/completions. Throws EndpointFault where there is none, with what it took as far as it says. */
export async function readCompletion(response: Response): Promise<ChatAnswer> {
  return parseAnswer(await readBounded(response));
}

/** The body of a response. Throws EndpointFault where it is too large to be an answer. */
export async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new EndpointFault("answer too large", "item", { billed: {} });
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Some servers write their counts as texts. */
export const TOKENS = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
  .pipe(z.number().nonnegative())
  .nullish()
  .catch(undefined);

const USAGE = z.object({
  usage: z.object({ prompt_tokens: TOKENS, completion_tokens: TOKENS }).nullish().catch(undefined),
});

const PART = z.object({ type: z.string(), text: z.string().nullish().catch(undefined) });
/** A text, or parts of which those of text make it. */
const CONTENT = z.union([
  z.string(),
  z
    .array(PART)
    .transform((parts) =>
      parts.map(({ type, text }) => (/^(output_)?text$/.test(type) ? (text ?? "") : "")).join(""),
    ),
]);

const ANSWER = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: CONTENT.nullish(),
          refusal: z.string().nullish(),
          tool_calls: z.array(z.unknown()).nullish().catch(undefined),
          // vLLM and llama.cpp say it the first way, OpenRouter and Ollama the second.
          reasoning_content: z.string().nullish().catch(undefined),
          reasoning: z.string().nullish().catch(undefined),
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

function parseAnswer(body: string): ChatAnswer {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new EndpointFault("answer is not JSON", "again", { cause, billed: {} });
  }
  const tokens = reportedTokens(json);
  const parsed = ANSWER.safeParse(json);
  if (!parsed.success) {
    throw new EndpointFault("answer is no chat completion", "again", {
      cause: parsed.error,
      ...wordsOf(json),
      // Some send their errors under status 200: that is no answer.
      billed: isError(json) ? undefined : tokens,
    });
  }
  const { message, finish_reason: reason } = parsed.data.choices[0]!; // the schema wants one
  const finish = readFinishReason(reason);
  if (finish === "broken") {
    throw new EndpointFault("answer broken off", "again", { billed: tokens });
  }
  const text = message.content || message.refusal || "";
  const instead = text === "" ? insteadOf(message) : undefined;
  // A refusal ends as an answer does.
  const isRefused = !message.content && Boolean(message.refusal);
  const isWhole = finish === "stop" || finish === "unknown";
  return {
    text,
    instead,
    finish: isRefused && isWhole ? "refused" : finish,
    reason: finish === "unknown" && reason ? reason.slice(0, MAX_REASON) : undefined,
    promptTokens: tokens.promptTokens,
    completionTokens: tokens.completionTokens,
  };
}

function reportedTokens(json: unknown): ReportedTokens {
  const { usage } = USAGE.safeParse(json).data ?? {};
  return {
    promptTokens: usage?.prompt_tokens ?? undefined,
    completionTokens: usage?.completion_tokens ?? undefined,
  };
}

const SAID = z.object({
  error: z.union([z.string(), z.object({ message: z.string() })]).optional(),
  message: z.string().optional(),
  detail: z.string().optional(),
});

/** What a server says instead of an answer, under status 200; nothing where it says nothing. */
function wordsOf(json: unknown): { readonly status?: number; readonly detail?: string } {
  const { error, message, detail } = SAID.safeParse(json).data ?? {};
  const words = (typeof error === "string" ? error : error?.message) ?? message ?? detail;
  return words === undefined ? {} : { status: 200, detail: words.slice(0, MAX_DETAIL) };
}

const isError = (json: unknown): boolean =>
  typeof json === "object" &&
  json !== null &&
  "error" in json &&
  !("choices" in json) &&
  !("usage" in json);

function insteadOf({
  tool_calls: calls,
  reasoning_content: thinking,
  reasoning,
}: z.infer<typeof ANSWER>["choices"][number]["message"]): ChatAnswer["instead"] {
  if ((calls ?? []).length > 0) return "tool calls";
  return thinking || reasoning ? "thinking alone" : undefined;
}
