/** @file The marks that models put around their thinking, and what stands behind them. */

/** How thinking begins and ends in the chat templates of published models. */
export const THINKING_MARKS = [
  { open: "<think>", close: "</think>" },
  { open: "<thinking>", close: "</thinking>" },
  { open: "<thought>", close: "</thought>" },
  { open: "<reasoning>", close: "</reasoning>" },
  { open: "<seed:think>", close: "</seed:think>" },
  { open: "[THINK]", close: "[/THINK]" },
  { open: "\u25c1think\u25b7", close: "\u25c1/think\u25b7" },
  { open: "<|START_THINKING|>", close: "<|END_THINKING|>" },
  { open: "<|begin_of_thought|>", close: "<|end_of_thought|>" },
  { open: "<|inner_prefix|>", close: "<|inner_suffix|>" },
  { open: "<|channel|>analysis<|message|>", close: "<|channel|>final<|message|>" },
] as const;

/**
 * Whether a text that begins outside thinking ends within it: a mark opens it and none closes it again. What follows the opening mark
 * (`<think>\nOkay, `) is thinking too.
 */
export function endsWithinThinking(text: string): boolean {
  return THINKING_MARKS.some(({ open, close }) => text.lastIndexOf(open) > text.lastIndexOf(close));
}

/** Whether a text ends in a mark that opens thinking, white space aside. */
export function endsInOpeningMark(text: string): boolean {
  const end = text.trimEnd();
  return THINKING_MARKS.some(({ open }) => end.endsWith(open));
}

/** A text without the opening mark that it may end in. */
export function withoutOpeningMark(text: string): string {
  const end = text.trimEnd();
  const mark = THINKING_MARKS.find(({ open }) => end.endsWith(open));
  return mark === undefined ? text : end.slice(0, -mark.open.length);
}

/** Whether a text closes thinking that it did not open. */
export function closesUnopened(text: string): boolean {
  return THINKING_MARKS.some((mark) => isClosedUnopened(text, mark));
}

/**
 * A text without the thinking that some models put before it: what follows the last mark that closes thinking, trimmed. `</think>` ends
 * it wherever it stands; the other marks, which ordinary texts have too, where the text begins with their opening mark or never has it
 * before, or the prompt opened it. Thinking that never ends is all there is: "". `isOpened`: the prompt opened it; default false.
 */
export function answerText(text: string, isOpened = false): string {
  const whole = text.trim();
  const end = Math.max(...THINKING_MARKS.map((mark) => endOfThinking(whole, mark, isOpened)));
  const rest = end === -1 ? whole : whole.slice(end).trim();
  const isUnended = end === -1 && isOpened;
  return isUnended || THINKING_MARKS.some(({ open }) => rest.startsWith(open)) ? "" : rest;
}

/** Each position in the text behind a mark that closes thinking, in order. */
export function endsOfThinking(text: string): readonly number[] {
  const ends = THINKING_MARKS.flatMap(({ close }) =>
    [...positionsOf(text, close)].map((at) => at + close.length),
  );
  return ends.toSorted((a, b) => a - b);
}

type Mark = (typeof THINKING_MARKS)[number];

function isClosedUnopened(text: string, { open, close }: Mark): boolean {
  const end = text.indexOf(close);
  const start = text.indexOf(open);
  return end >= 0 && (start < 0 || start > end);
}

/** The position behind the mark that closes the thinking; -1 where it closes none. */
function endOfThinking(text: string, mark: Mark, isOpened: boolean): number {
  const at = text.lastIndexOf(mark.close);
  const ends =
    isOpened ||
    mark.close === "</think>" ||
    text.startsWith(mark.open) ||
    isClosedUnopened(text, mark);
  return at === -1 || !ends ? -1 : at + mark.close.length;
}

function* positionsOf(text: string, part: string): Generator<number> {
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) yield at;
}
