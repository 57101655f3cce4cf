/** @file Plain properties of responses whose directions can be projected out of a behaviour. */
import { REFUSAL_RULES } from "../judge/refusal-rules.ts";
import { compileRules } from "../judge/rules-judge.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { responseText } from "../pairs/text-measures.ts";
import { ConfigError } from "../util/errors.ts";
import type { ResponseActivations } from "./activations.ts";

/** A number for both responses of every usable pair, [n] each. */
export interface ResponseMeasure {
  readonly name: string;
  readonly before: Float64Array;
  readonly after: Float64Array;
}

const isRefusal = compileRules(REFUSAL_RULES);

/** What a response may have, by its text. */
const TEXT_MEASURES: Readonly<Record<string, (text: string) => boolean>> = {
  list: (text) => /^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+\S/m.test(text),
  heading: (text) => /^#{1,6}[ \t]+\S/m.test(text),
  code: (text) => text.includes("```"),
  bold: (text) => /\*\*[^*\n]+\*\*/.test(text),
  capitals: (text) => /\p{Lu}/u.test(text) && !/\p{Ll}/u.test(text),
  refusal: (text) => {
    const verdict = isRefusal(text);
    return "label" in verdict && verdict.label === "shows";
  },
};

const TAG = "tag:";

/** The names that measureResponses knows, for messages; `tag:NAME` stands for any tag of the response pairs. */
export const MEASURES: readonly string[] = ["length", ...Object.keys(TEXT_MEASURES), `${TAG}NAME`];

export function isMeasure(name: string): boolean {
  return name === "length" || name.startsWith(TAG) || Object.hasOwn(TEXT_MEASURES, name);
}

/**
 * Measures both responses of the pairs that gave activations: `length` is the logarithm of the tokens that were read, the others
 * are 1 or 0; `tag:NAME` is whether the pair has that tag, the same for both its responses. Throws ConfigError for an unknown
 * name.
 */
export function measureResponses(
  name: string,
  pairs: readonly ResponsePair[],
  activations: Pick<ResponseActivations, "pairIds" | "responseTokens">,
): ResponseMeasure {
  const { responseTokens, pairIds } = activations;
  if (name === "length") {
    const logs = (tokens: Int32Array): Float64Array => Float64Array.from(tokens, Math.log);
    return { name, before: logs(responseTokens.before), after: logs(responseTokens.after) };
  }
  const byId = new Map(pairs.map((pair) => [pair.id, pair]));
  const usable = pairIds.map((id) => byId.get(id)!);
  const measure = (of: (pair: ResponsePair) => boolean): Float64Array =>
    Float64Array.from(usable, (pair) => Number(of(pair)));
  if (name.startsWith(TAG)) {
    const tag = name.slice(TAG.length);
    requireTag(tag, usable);
    const has = measure(({ tags }) => tags?.includes(tag) ?? false);
    return { name, before: has, after: has };
  }
  const test = Object.hasOwn(TEXT_MEASURES, name) ? TEXT_MEASURES[name] : undefined;
  if (test === undefined) {
    throw new ConfigError(
      `orthogonal to: expected ${MEASURES.join(", ")} or a behaviour file, got "${name}"`,
    );
  }
  return {
    name,
    before: measure(({ before }) => test(responseText(before))),
    after: measure(({ after }) => test(responseText(after))),
  };
}

/** How many tags a message names: a composed file has as many as its pool has constraints, and more. */
const MAX_NAMED_TAGS = 12;

function requireTag(tag: string, pairs: readonly ResponsePair[]): void {
  if (pairs.some(({ tags }) => tags?.includes(tag))) return;
  const known = [...new Set(pairs.flatMap(({ tags }) => tags ?? []))];
  const more = known.length > MAX_NAMED_TAGS ? `, and ${known.length - MAX_NAMED_TAGS} more` : "";
  throw new ConfigError(`orthogonal to: expected response pairs with the tag "${tag}", got none`, {
    hint:
      known.length === 0
        ? "None of them has tags: give the scenarios tags before sampling, or the response pairs."
        : `Their tags are ${known.slice(0, MAX_NAMED_TAGS).join(", ")}${more}.`,
  });
}
