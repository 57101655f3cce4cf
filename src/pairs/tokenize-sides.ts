import type { EmbeddingEngine, TokenizedExample } from "../engine/engine.ts";
import type { Message, RowContext } from "../format/messages.ts";
import {
  UnusableExampleError,
  type UnusableExampleReason,
} from "../model/prompt-renderer-error.ts";
import { truncateExample } from "../model/prompt-renderer-truncate.ts";
import type { UnusableReason } from "./preference-pair.ts";

/** A prompt with its responses as token ids, or why it cannot be used. */
export type TokenizedSides =
  | {
      readonly kind: "usable";
      readonly example: TokenizedExample;
      /** A response was cut at the token limit. */
      readonly isTruncated: boolean;
    }
  | {
      readonly kind: "unusable";
      readonly reason: UnusableReason;
      readonly detail: string;
      /** What it says and nothing reads, where that is the reason. */
      readonly unread?: readonly string[] | undefined;
    };

/** Why a row is left out for what it says and nothing reads. */
export const unreadCause = (unread: readonly string[]): string => `unread: ${unread.join(", ")}`;

/** Why it cannot be used, in a few words that rows are counted by. */
export const causeOfUnusable = ({
  reason,
  unread,
}: Pick<Extract<TokenizedSides, { readonly kind: "unusable" }>, "reason" | "unread">): string =>
  reason === "unread" && unread !== undefined ? unreadCause(unread) : reason;

type Tokenizing = Pick<EmbeddingEngine, "tokenize">;

const REASONS: Readonly<Record<UnusableExampleReason, UnusableReason>> = {
  "empty-prompt": "empty-prompt",
  "empty-response": "empty-side",
  "prompt-not-kept": "prompt-not-kept",
  "template-refused": "template-refused",
  unread: "unread",
};

/**
 * Tokenises a prompt with two responses and cuts these so that prompt and response have at most `maxTokens`. Sides of the same tokens
 * are unusable: their difference would be rounding noise, which has a direction like anything else; `describeSame` words that.
 */
export function tokenizeSides(
  engine: Tokenizing,
  {
    prompt,
    sides,
    context,
  }: {
    prompt: readonly Message[];
    sides: readonly [readonly Message[], readonly Message[]];
    context: RowContext | undefined;
  },
  maxTokens: number,
  describeSame: (same: { readonly tokens: number; readonly isTruncated: boolean }) => string,
): TokenizedSides {
  const found = tokenizeResponses(engine, { prompt, responses: sides, context }, maxTokens);
  if (found.kind === "unusable") return found;
  const { example, isTruncated } = found;
  const [first, second] = example.responses as readonly [Int32Array, Int32Array]; // two went in
  if (first.length === second.length && first.every((token, i) => token === second[i])) {
    const detail = describeSame({ tokens: first.length, isTruncated });
    return { kind: "unusable", reason: "identical-sides", detail };
  }
  return found;
}

/** Tokenises a prompt with responses and cuts these so that prompt and response have at most `maxTokens`. */
export function tokenizeResponses(
  engine: Tokenizing,
  {
    prompt,
    responses,
    context,
  }: {
    readonly prompt: readonly Message[];
    readonly responses: readonly (readonly Message[])[];
    readonly context: RowContext | undefined;
  },
  maxTokens: number,
): TokenizedSides {
  let example;
  try {
    example = engine.tokenize(prompt, responses, context);
  } catch (error) {
    if (!(error instanceof UnusableExampleError)) throw error;
    const { reason, message: detail, unread } = error;
    const why = { reason: REASONS[reason], detail };
    return { kind: "unusable", ...why, ...(unread.length === 0 ? {} : { unread }) };
  }
  const cut = truncateExample(example, maxTokens);
  if (cut.kind === "prompt-too-long") {
    return { kind: "unusable", reason: cut.kind, detail: cut.detail };
  }
  const isTruncated = cut.cutTokens.some((count) => count > 0);
  return { kind: "usable", example: cut.example, isTruncated };
}
