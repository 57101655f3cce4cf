import type { RenderedExample } from "./prompt-renderer.ts";

/** An example cut to a token limit, or word that its prompt alone reaches it. */
export type TruncatedExample =
  | {
      readonly kind: "usable";
      readonly example: RenderedExample;
      /** Per response, how many of its last tokens were cut. */
      readonly cutTokens: readonly number[];
    }
  | {
      readonly kind: "prompt-too-long";
      /** One sentence for the list of unusable rows. */
      readonly detail: string;
    };

/** Cuts each response from its end so that prompt and response together have at most `maxTokens` tokens; the prompt stays whole. */
export function truncateExample(example: RenderedExample, maxTokens: number): TruncatedExample {
  const room = maxTokens - example.prompt.length;
  if (room < 1) {
    return {
      kind: "prompt-too-long",
      detail: `the prompt has ${example.prompt.length} tokens and leaves none of ${maxTokens} for a response`,
    };
  }
  const cutTokens = example.responses.map((response) => Math.max(0, response.length - room));
  if (cutTokens.every((cut) => cut === 0)) return { kind: "usable", example, cutTokens };
  const responses = example.responses.map((response) =>
    response.length > room ? response.slice(0, room) : response,
  );
  return { kind: "usable", example: { ...example, responses }, cutTokens };
}
