/** @file When two requests count as the same. */
import type { Message } from "../format/messages.ts";
import { hashValue } from "../util/hash.ts";

/** Equal for requests that differ in white space and case alone: those are one base prompt. */
export function baseKey(base: string): string {
  return base.normalize("NFC").trim().replaceAll(/\s+/g, " ").toLowerCase();
}

/**
 * Equal for requests of the same letters, digits and symbols in the same order, whatever the white space, case and punctuation. Coarser than baseKey: halves that
 * must not share a request keep "How are you?" and "how are you" together, although they may be two base prompts.
 */
export function requestKey(base: string): string {
  const key = baseKey(base);
  const bare = key
    .normalize("NFKC")
    .replaceAll(/[\p{P}\p{Z}\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  return bare === "" ? key : bare;
}

/** The group of a request, which all scenarios that ask it share: a hash of its turns, equal where their requestKeys are. */
export function requestGroup(request: readonly Message[]): string {
  return hashValue(request.map(({ role, content }) => [role, requestKey(content)])).slice(0, 16);
}
