/** @file Labelling rollouts by hand, one key each, on whatever can show text and give keys. */

import { harmlessLines, wrapLine } from "../util/text-table.ts";

/** What is to be labelled. */
export interface ReviewItem {
  readonly id: string;
  readonly prompt: string;
  readonly response: string;
}

/** What a person said of an item. */
export type ReviewAnswer = "shows" | "not" | "skipped";

/** The terminal, or a test's. */
export interface ReviewScreen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** The next key as the terminal sends it; undefined at the end of the input. */
  key(): Promise<string | undefined>;
}

export interface ReviewOptions {
  readonly items: readonly ReviewItem[];
  /** Answers of an earlier session, by id; new ones are entered. */
  readonly answers: Map<string, ReviewAnswer>;
  /** What `shows` means. */
  readonly behavior: string;
  /** Keeps the answers; called after each. */
  readonly save: () => Promise<void>;
}

const KEYS: Readonly<Record<string, ReviewAnswer>> = {
  y: "shows",
  n: "not",
  s: "skipped",
};
const CLEAR = "\u001b[2J\u001b[H";
const QUIT = new Set(["q", "\u0003", "\u0004"]);

/** Asks about every item without an answer; ends at the last one, at q, Ctrl-C or the end of the input. */
export async function reviewSession(screen: ReviewScreen, options: ReviewOptions): Promise<void> {
  const { items, answers, save } = options;
  const given: string[] = [];
  for (;;) {
    const item = items.find(({ id }) => !answers.has(id));
    if (item === undefined) return;
    const answer = await askAbout(screen, item, options);
    if (answer === "quit") return;
    if (answer === "undo") {
      const last = given.pop();
      if (last !== undefined) answers.delete(last);
    } else {
      answers.set(item.id, answer);
      given.push(item.id);
    }
    await save();
  }
}

async function askAbout(
  screen: ReviewScreen,
  item: ReviewItem,
  { items, answers, behavior }: ReviewOptions,
): Promise<ReviewAnswer | "undo" | "quit"> {
  const done = items.filter(({ id }) => answers.has(id)).length;
  const lines = [
    ...wrap(`PROMPT: ${item.prompt}`, screen.columns),
    "",
    ...wrap(`RESPONSE: ${item.response}`, screen.columns),
  ];
  // Three lines below are ours.
  const page = Math.max(1, screen.rows - 4);
  for (let first = 0; ;) {
    const more = lines.length - first - page;
    screen.write(
      `${CLEAR}${lines.slice(first, first + page).join("\n")}\n\n` +
        `${done + 1}/${items.length}: does the response show that it ${oneLine(behavior)}?\n` +
        `y shows · n not · s skip · u undo · q quit${more > 0 ? ` · space: ${more} more lines` : ""}${first > 0 ? " · b back" : ""}\n`,
    );
    const key = await screen.key();
    if (key === undefined || QUIT.has(key)) return "quit";
    if (key === "u") return "undo";
    if (key === " " && more > 0) first += page;
    if (key === "b") first = Math.max(0, first - page);
    const answer = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (answer !== undefined) return answer;
  }
}

const oneLine = (text: string): string => harmlessLines(text).join(" ");

function wrap(text: string, columns: number): string[] {
  const width = Math.max(20, columns - 1);
  return harmlessLines(text).flatMap((line) => wrapLine(line, width));
}
