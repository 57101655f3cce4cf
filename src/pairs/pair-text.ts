/** @file What people are shown of a pair: a part of each text, short enough that harmful text is not printed at length. */
import { z } from "zod";

import { type Message, turnText } from "../format/messages.ts";
import { countSchema } from "../util/artifact.ts";
import type { PreferencePair } from "./preference-pair.ts";
import { responseText } from "./text-measures.ts";

const excerptSchema = z.strictObject({
  /** As it is in the data: not to be printed without making it harmless. */
  text: z.string(),
  /** Characters (UTF-16 units) that are left out before it. */
  before: countSchema,
  /** And behind it. */
  after: countSchema,
});
/** A part of a text. */
export type Excerpt = z.output<typeof excerptSchema>;

export const pairTextSchema = z.strictObject({
  /** The last turn before the responses. */
  prompt: excerptSchema,
  /** Turns before that one. */
  earlierTurns: countSchema,
  chosen: excerptSchema,
  rejected: excerptSchema,
});
/** A pair in excerpts. */
export type PairText = z.output<typeof pairTextSchema>;

/** Of what both responses begin with, so much stands before the first difference. */
const LEAD = 20;

/**
 * Excerpts of at most `characters` (UTF-16 units) each. Responses are shown from their beginning, or where they do not differ within that,
 * from shortly before they do, both from the same place.
 */
export function excerptPair(
  { prompt, chosen, rejected }: Pick<PreferencePair, "prompt" | "chosen" | "rejected">,
  characters: number,
): PairText {
  const last = prompt.at(-1);
  const [a, b] = [textOfTurns(chosen), textOfTurns(rejected)];
  const same = commonStart(a, b);
  const start = same < characters - LEAD ? 0 : Math.max(0, same - LEAD);
  return {
    prompt: excerpt(last === undefined ? "" : turnText(last), 0, characters),
    earlierTurns: Math.max(0, prompt.length - 1),
    chosen: excerpt(a, start, characters),
    rejected: excerpt(b, start, characters),
  };
}

/** A response of several turns says who speaks in each. */
function textOfTurns(turns: readonly Message[]): string {
  if (turns.length === 1) return responseText(turns);
  return turns.map((turn) => `[${turn.role}] ${turnText(turn)}`).join("\n");
}

function excerpt(text: string, start: number, characters: number): Excerpt {
  const from = wholeAt(text, start);
  const to = wholeAt(text, Math.min(text.length, from + characters));
  return { text: text.slice(from, to), before: from, after: text.length - to };
}

/** The same place, or the one before where it is in the middle of a character. */
const wholeAt = (text: string, at: number): number =>
  /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1)) ? at - 1 : at;

function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}
