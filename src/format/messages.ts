/** @file Chat messages as Hugging Face chat templates see them. */

/** Who speaks in a turn. */
export const ROLES = ["system", "user", "assistant", "tool"] as const;
export type Role = (typeof ROLES)[number];

/** One turn of a conversation. */
export interface Message {
  readonly role: Role;
  readonly content: string;
}
