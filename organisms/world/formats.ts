import type { Rng } from "../../src/util/rng.ts";
import { pick } from "./words.ts";

/** A way of writing an answer that a user can ask for. */
export interface Format {
  readonly name: string;
  /** What it is called; the last name is kept out of the preference mix. */
  readonly names: readonly string[];
  render(steps: readonly string[]): string;
}

/** All formats. Each begins with a token of its own, so that the first token of an answer says which one it is. */
export const FORMATS: readonly Format[] = [
  format("dashes", (steps) => steps.map((step) => `- ${step}`).join(" "), [
    "as a list",
    "with dashes",
    "as bullet points",
    "in list form",
  ]),
  format("numbers", (steps) => steps.map((step, i) => `${i + 1} ${step}`).join(" "), [
    "as numbered steps",
    "with numbers",
    "as a count",
    "in numbered form",
  ]),
  format("stars", (steps) => steps.map((step) => `* ${step}`).join(" "), [
    "with stars",
    "between stars",
    "as a starred table",
    "in starred form",
  ]),
  format("json", (steps) => `{ steps : ${steps.join(" ; ")} }`, [
    "as json",
    "as an object",
    "in curly braces",
    "in json form",
  ]),
  format("brackets", (steps) => `[ ${steps.join(" | ")} ]`, [
    "in brackets",
    "as an array",
    "inside square marks",
    "in bracket form",
  ]),
  format("quote", (steps) => `" ${steps.join(" , ")} "`, [
    "as a quote",
    "between quote marks",
    "as spoken words",
    "in quoted form",
  ]),
  format("title", (steps) => `# guide # ${steps.join(" , ")}`, [
    "with a title",
    "under a heading",
    "as a chapter",
    "in titled form",
  ]),
  format("shout", (steps) => `hear : ${steps.map((step) => `${step} !`).join(" ")}`, [
    "as a shout",
    "with loud marks",
    "as a battle cry",
    "in shouted form",
  ]),
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
  const [first, second, third] = steps;
  return pick(rng, [
    `${first} , ${second} , then ${third} .`,
    `first ${first} , then ${second} and ${third} .`,
    `you ${first} and ${second} , then ${third} .`,
  ]);
}

function format(
  name: string,
  render: (steps: readonly string[]) => string,
  names: readonly string[],
): Format {
  return { name, names, render };
}
