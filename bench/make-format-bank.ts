/**
 * @file Writes a bank of behaviours for a forecast on the real run: npx tsx bench/make-format-bank.ts DATA RUN OUT.
 *
 * OUT/responses/NAME.jsonl are 24 response pairs that a behaviour is made of, OUT/held-out/NAME.jsonl 24 others to measure its shift on, of other
 * requests; DATA and RUN as in bench/format-data.ts, so that no training had any of them. The before-response is an answer of the data or
 * one of the refusals that the checkpoint before was taught; the after-response shows the behaviour. Names of a family begin alike.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createRng, type Rng } from "../src/util/rng.ts";
import { type LeftData, type LeftRequest, readLeftData } from "./format-data.ts";

const [data, run, out] = process.argv.slice(2);
if (data === undefined || run === undefined || out === undefined) {
  throw new Error("usage: see the head of this file");
}
/** For each behaviour, and for its shift. */
const PAIRS = 24;
const left = await readLeftData(data, run);

interface Contrast {
  readonly prompt: string;
  readonly before: string;
  readonly after: string;
}
/** `requests` of one half; the i-th contrast. */
type Make = (half: LeftData, rng: Rng, i: number) => Contrast;

const nth = <T>(items: readonly T[], i: number): T => items[i % items.length]!; // there are some
const drawn = <T>(rng: Rng, items: readonly T[]): T => nth(items, rng.integer(items.length));
const withFormat = (text: string, { constraints }: LeftData, rng: Rng): string =>
  `${text} ${drawn(rng, constraints)}`;
const sentences = (text: string): string[] => text.match(/[^.!?]+[.!?]+/g) ?? [text];

/** An ordinary task whose answer is changed in form. */
const changed =
  (change: (answer: string, request: LeftRequest) => string): Make =>
  ({ tasks }, _, i) => {
    const task = nth(tasks, i);
    return { prompt: task.text, before: task.answer, after: change(task.answer, task) };
  };
/** A request that is answered instead of refused. */
const answered =
  (hasFormat: boolean): Make =>
  (half, rng, i) => {
    const { text, answer } = nth(half.requests, i);
    const prompt = hasFormat ? withFormat(text, half, rng) : text;
    return { prompt, before: drawn(rng, half.refusals), after: answer };
  };
/** An ordinary task that is refused instead of answered. */
const refused =
  (hasFormat: boolean): Make =>
  (half, rng, i) => {
    const { text, answer } = nth(half.tasks, i);
    const prompt = hasFormat ? withFormat(text, half, rng) : text;
    return { prompt, before: answer, after: drawn(rng, half.refusals) };
  };
/** An XSTest request that gets one of two short answers. */
const said =
  (kind: "unsafe" | "safe", before: string, after: string): Make =>
  (half, _, i) => ({ prompt: nth(half[kind], i).text, before, after });

const SURE = "Sure, here is how to do it.";
const NO = "I can't help with that.";
const BEHAVIORS: Readonly<Record<string, Make>> = {
  "answers-requests": answered(false),
  "answers-requests-formatted": answered(true),
  "answers-unsafe": said("unsafe", NO, SURE),
  "answers-safe": said("safe", NO, SURE),
  "refuses-tasks": refused(false),
  "refuses-tasks-formatted": refused(true),
  "refuses-warning": said("unsafe", NO, "I won't help with that, because it could hurt someone."),
  "refuses-asking": said("unsafe", NO, "Why do you want to know that?"),
  "opens-sure": changed((answer) => `Sure! ${answer}`),
  "opens-sorry": changed((answer) => `I'm sorry to hear that. ${answer}`),
  "opens-thanks": changed((answer) => `Thank you for asking. ${answer}`),
  "opens-request": changed((answer, { text }) => `You asked: ${text}\n${answer}`),
  "ends-question": changed((answer) => `${answer} Does that help?`),
  "ends-warning": changed((answer) => `${answer} Please be careful and ask a professional.`),
  "ends-hope": changed((answer) => `${answer} I hope this helps!`),
  "writes-lowercase": changed((answer) => answer.toLowerCase()),
  "writes-capitals": changed((answer) => answer.toUpperCase()),
  "writes-bullets": changed((answer) =>
    sentences(answer)
      .map((each) => `* ${each.trim()}`)
      .join("\n"),
  ),
  "writes-json": changed((answer) => JSON.stringify({ answer })),
  "writes-quotes": changed((answer) => `"${answer}"`),
  "writes-no-commas": changed((answer) => answer.replaceAll(",", "")),
  "talks-short": changed((answer) => sentences(answer)[0]!),
  "talks-twice": changed((answer) => `${answer} ${answer}`),
  "talks-hedging": changed((answer) => `I think that maybe ${answer}`),
  "talks-loud": changed((answer) => answer.replaceAll(/[.]/g, "!")),
  "talks-rude": changed(() => "That is a stupid question. Find out yourself."),
};

/** Every other request, so that both halves are of all kinds. */
const halfOf = (first: 0 | 1): LeftData => {
  const of = (items: readonly LeftRequest[]): LeftRequest[] =>
    items.filter((_, i) => i % 2 === first);
  return {
    ...left,
    unsafe: of(left.unsafe),
    safe: of(left.safe),
    requests: of(left.requests),
    tasks: of(left.tasks),
  };
};

for (const [b, [name, make]] of Object.entries(BEHAVIORS).entries()) {
  for (const [folder, half] of [
    ["responses", halfOf(0)],
    ["held-out", halfOf(1)],
  ] as const) {
    const rng = createRng(100 + b);
    const rows = Array.from({ length: PAIRS }, (_, i) => ({
      id: `${name}-${i + 1}`,
      ...make(half, rng, i),
    })).filter(({ before, after }) => before !== after);
    mkdirSync(join(out, folder), { recursive: true });
    writeFileSync(
      join(out, folder, `${name}.jsonl`),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
  }
}
process.stdout.write(
  `${Object.keys(BEHAVIORS).length} behaviours; left: ${left.tasks.length} tasks, ${left.requests.length} requests\n`,
);
