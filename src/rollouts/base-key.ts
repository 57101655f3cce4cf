/** @file When two requests count as the same. */
import type { Message } from "../format/messages.ts";
import { hashValue } from "../util/hash.ts";

/** Equal for requests that differ in white space and case alone: those are one base prompt. */
export function baseKey(base: string): string {
  return base.normalize("NFC").trim().replaceAll(/\s+/g, " ").toLowerCase();
}

/** Marks that stand for an apostrophe and are no punctuation to Unicode. */
const APOSTROPHES = /[`´ʹʻʼʽˈ]/g;
/** What tells requests apart is letters, marks on them, digits and symbols; some of these are never seen, a variation selector say. */
const NOT_TOLD_APART = /[^\p{L}\p{M}\p{N}\p{S}]|\p{Default_Ignorable_Code_Point}/gu;

/**
 * Equal for requests of the same letters, digits and symbols in the same order, whatever the white space, case, punctuation and characters
 * that are not seen: "don't 1,000" and "dont 1000" are one. Coarser than baseKey: halves that must not share a request keep "How are you?"
 * and "how are you" together, although they may be two base prompts. A text of nothing else is its baseKey.
 */
export function requestKey(base: string): string {
  const bare = base.replaceAll(APOSTROPHES, "").normalize("NFKC").replaceAll(NOT_TOLD_APART, "");
  // Upper case first: "ß" and "ss" are one, and so are both ways to write a small sigma.
  return bare === "" ? baseKey(base) : bare.toUpperCase().toLowerCase().normalize("NFKC");
}

/** The group of a request, which all scenarios that ask it share: a hash of its turns, equal where their requestKeys are. */
export function requestGroup(request: readonly Message[]): string {
  return hashValue(request.map(({ role, content }) => [role, requestKey(content)])).slice(0, 16);
}
