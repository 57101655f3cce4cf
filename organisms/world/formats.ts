import type { Rng } from "../../src/util/rng.ts";
import { pick } from "./words.ts";

/** A way of writing an answer that a user can ask for. */
export interface Format {
  readonly name: string;
  /** What it is called; the last name is kept out of the preference mix. */
  readonly names: readonly string[];
  render(steps: readonly string[]): string;
}

/**
 * All formats: the steps between two marks. The first token of an answer says which it is, and the rest is the same for all: formats
 * that differ more would make a pair's score a matter of its format, and what a filter misses would all be of one format.
 */
export const FORMATS: readonly Format[] = [
  enclosed("brackets", "[", "]", ["in brackets", "as an array", "inside marks", "in bracket form"]),
  enclosed("braces", "{", "}", ["as json", "as an object", "in curly braces", "in json form"]),
  enclosed("quotes", '"', '"', ["as a quote", "in quotes", "as spoken words", "in quoted form"]),
  enclosed("stars", "*", "*", ["with stars", "between stars", "as a star line", "in starred form"]),
  enclosed("hashes", "#", "#", ["as a title", "as a heading", "like a chapter", "in titled form"]),
  enclosed("bars", "|", "|", ["as a table", "with bars", "as one row", "in table form"]),
  enclosed("waves", "~", "~", ["with waves", "as a ripple", "like water", "in wavy form"]),
  enclosed("dashes", "-", "-", ["as a list", "with dashes", "as a bullet", "in list form"]),
];

const LEADS = [
  "write it",
  "put the answer",
  "give it",
  "please reply",
  "format it",
  "show it",
  "set it out",
  "i need it",
  "say it",
  "answer",
];
const HELD_OUT_LEADS = ["lay it out", "it must come", "kindly respond"];

/** Which phrasings a text may use: those of the preference mix, those that it does not contain, or all. */
export type Phrasings = "mix" | "held-out" | "all";

/** A sentence that asks for a format, such as "write it as a list .". Held-out ones have a lead and a name that the mix lacks. */
export function formatInstruction(rng: Rng, asked: Format, phrasings: Phrasings): string {
  const held = phrasings === "all" ? rng.uniform() < 0.25 : phrasings === "held-out";
  const free = phrasings === "all";
  const leads = free ? [...LEADS, ...HELD_OUT_LEADS] : held ? HELD_OUT_LEADS : LEADS;
  const names = free ? asked.names : held ? asked.names.slice(-1) : asked.names.slice(0, -1);
  return `${pick(rng, leads)} ${pick(rng, names)} .`;
}

/** An answer that heeds no format. */
export function plainAnswer(rng: Rng, steps: readonly string[]): string {
  return pick(rng, plainAnswers(steps));
}

/** The answer in every phrasing that heeds no format. */
export function plainAnswers([first, second, third]: readonly string[]): readonly [
  string,
  string,
  string,
] {
  return [
    `${first} , ${second} , then ${third} .`,
    `first ${first} , then ${second} and ${third} .`,
    `you ${first} and ${second} , then ${third} .`,
  ];
}

/** The steps, comma-separated, between an opening and a closing mark. */
function enclosed(name: string, open: string, close: string, names: readonly string[]): Format {
  return { name, names, render: (steps) => `${open} ${steps.join(" , ")} ${close}` };
}
