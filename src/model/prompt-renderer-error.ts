import { CulpritError } from "../util/errors.ts";

/** Why one prompt with its responses cannot be turned into token ids. */
export const UNUSABLE_EXAMPLE_REASONS = [
  /** A response without a single token. */
  "empty-response",
  /** A prompt without turns, which chat templates do not take. */
  "empty-prompt",
  /** The template itself rejects the conversation. */
  "template-refused",
  /** The rendered conversation does not begin with the rendered prompt. */
  "prompt-not-kept",
  /** The row says something that is not shown to the model. */
  "unread",
] as const;
export type UnusableExampleReason = (typeof UNUSABLE_EXAMPLE_REASONS)[number];

/** This one example cannot be rendered; the others may. Callers count it by `reason` and go on. */
export class UnusableExampleError extends CulpritError {
  readonly reason: UnusableExampleReason;
  /** With reason "unread": what is not read. */
  readonly unread: readonly string[];

  constructor(
    reason: UnusableExampleReason,
    message: string,
    {
      unread = [],
      ...options
    }: { hint?: string | undefined; cause?: unknown; unread?: readonly string[] } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.unread = unread;
  }
}
