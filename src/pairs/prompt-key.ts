import type { Message, RowContext } from "../format/messages.ts";
import { hashValue } from "../util/hash.ts";

/** A hash of a prompt's roles and texts, and of the tools and variables that the row gives with it: equal for equal prompts. */
export const promptKey = (prompt: readonly Message[], context?: RowContext): string => {
  const turns = prompt.map(({ role, content, whole }) =>
    // A turn that is more than role and text, a call say.
    whole === undefined ? [role, content] : [role, content, whole],
  );
  return hashValue(context === undefined ? turns : [turns, context]);
};
