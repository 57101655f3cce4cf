import type { ChatRequest } from "./chat-endpoint.ts";

/** Bytes of a token: 4 in English prose, fewer in code and other languages. */
const BYTES_PER_TOKEN = 3.5;
/** What a chat template adds to each turn. */
const TOKENS_PER_TURN = 6;

/** Roughly the tokens of a prompt, by its bytes. */
export function estimatePromptTokens(messages: ChatRequest["messages"]): number {
  return messages.reduce(
    (sum, { content }) =>
      sum + TOKENS_PER_TURN + Math.ceil(Buffer.byteLength(content) / BYTES_PER_TOKEN),
    0,
  );
}

/** Roughly the tokens of a request with the longest answer that it allows. */
export function estimateTokens({ messages, maxTokens }: ChatRequest): number {
  return estimatePromptTokens(messages) + maxTokens;
}
