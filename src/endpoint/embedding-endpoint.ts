import { z } from "zod";

import type { ChatEndpoint, ChatAnswer } from "./chat-endpoint.ts";
import { type EndpointSettings, openClient } from "./endpoint-client.ts";
import { EndpointFault } from "./endpoint-fault.ts";
import { readBounded, TOKENS } from "./read-completion.ts";

/**
 * A model behind an OpenAI-compatible address that turns a text into a vector. It is asked as a chat is, so that retries, limits, budget and
 * kept answers are the same: the text is the last message, and the answer's text is the vector, see decodeVector. Opens it; sends nothing
 * yet. Throws ConfigError where the address is none.
 */
export function openEmbeddingEndpoint(settings: EndpointSettings): ChatEndpoint {
  const { baseUrl, model } = settings;
  const { client, hasKey, sendOnce } = openClient(settings);
  return {
    baseUrl,
    model,
    hasKey,
    path: "/embeddings",
    ask: ({ messages }, signal) =>
      sendOnce(
        (abort) =>
          client.embeddings
            .create(
              // Without a format the package asks for one that not every server knows.
              { model, input: messages.at(-1)!.content, encoding_format: "float" },
              { signal: abort },
            )
            .asResponse(),
        readEmbedding,
        signal,
      ),
  };
}

const ANSWER = z.object({
  data: z.array(z.object({ embedding: z.array(z.number()).min(1) })).length(1),
  usage: z.object({ prompt_tokens: TOKENS, total_tokens: TOKENS }).nullish().catch(undefined),
});

async function readEmbedding(response: Response): Promise<ChatAnswer> {
  let json: unknown;
  try {
    json = JSON.parse(await readBounded(response));
  } catch (cause) {
    if (cause instanceof EndpointFault) throw cause;
    throw new EndpointFault("answer is not JSON", "again", { cause, billed: {} });
  }
  const parsed = ANSWER.safeParse(json);
  if (!parsed.success) {
    throw new EndpointFault("answer is no embedding", "again", { cause: parsed.error });
  }
  const { data, usage } = parsed.data;
  return {
    text: encodeVector(data[0]!.embedding), // the schema wants one
    finish: "stop",
    promptTokens: usage?.prompt_tokens ?? usage?.total_tokens ?? undefined,
    completionTokens: 0,
  };
}

/** Numbers as a text of base64: little-endian float32. */
function encodeVector(values: readonly number[]): string {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString("base64");
}

/** The vector in an answer's text. */
export function decodeVector(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readFloatLE(4 * i));
}
