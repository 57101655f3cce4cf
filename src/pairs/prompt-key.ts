import type { Message } from "../format/messages.ts";
import { hashValue } from "../util/hash.ts";

/** A hash of a prompt's roles and texts: equal for equal prompts. */
export const promptKey = (prompt: readonly Message[]): string =>
  hashValue(prompt.map(({ role, content }) => [role, content]));
