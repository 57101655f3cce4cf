/**
 * @file What a template looked at and does not show. Reading is not showing: `{% if tools %}` reads the tools and writes none of them. So
 * texts of turns are looked for in the rendering; of everything else the strings get a mark each, and a second rendering shows which
 * marks come through.
 */
import { JsonFloat, type JsonObject, type JsonValue } from "../format/json-value.ts";
import { type Message, type RowContext, wholeTurn } from "../format/messages.ts";
import { answerText } from "../format/thinking-marks.ts";
import { REASONING_KEYS } from "./chat-template-variables.ts";
import { type RowTurns, spokenKeysOf } from "./unread-keys.ts";

/** The texts of a prompt and of the whole conversations. */
export interface RenderedTexts {
  readonly head: string;
  readonly wholes: readonly string[];
}

/** Renders a row anew; undefined where the template fails on it. */
export type RenderAgain = (row: RowTurns) => RenderedTexts | undefined;

/**
 * Names what the row says and its renderings show in part or not at all, each once: texts of turns, keys of turns, tools, documents.
 * Thinking in earlier turns is not missed where that of another turn is shown, since templates drop it on purpose.
 */
export function findHidden(
  row: RowTurns,
  texts: RenderedTexts,
  renderAgain: RenderAgain,
): readonly string[] {
  return [...new Set([...hiddenTexts(row, texts), ...hiddenStrings(row, renderAgain)])];
}

function hiddenTexts({ prompt, responses }: RowTurns, { head, wholes }: RenderedTexts): string[] {
  const asked = prompt.map((turn, i) => {
    const isShown = (part: string): boolean =>
      [head, ...wholes].some((text) => shows(text.slice(startOf(prompt, i, text)), part));
    return { turn, isShown, isAsked: true };
  });
  const answered = responses.flatMap((turns, k) => {
    const whole = wholes[k] ?? "";
    // Words of the generation prompt may begin as the response does.
    const start = Math.min(commonLength(head, whole), startOf(prompt, prompt.length, whole));
    const said = whole.slice(start);
    return turns.map((turn, i) => ({
      turn,
      isShown: (part: string) => shows(said.slice(startOf(turns, i, said)), part),
      isAsked: false,
    }));
  });
  const all = [...asked, ...answered].map((each) => ({
    ...each,
    isWhole: partsOf(each.turn).every(each.isShown),
  }));
  const showsThinking = all.some(({ turn, isWhole }) => isWhole && hasThinking(turn.content));
  return all
    .filter(({ turn, isWhole, isShown, isAsked }) => {
      if (isWhole) return false;
      const isDropped = isAsked && showsThinking && hasThinking(turn.content);
      return !(isDropped && isShown(answerText(turn.content)));
    })
    .map(({ turn }) => `the text of the ${turn.role} turn`);
}

/**
 * Where the text of turn `i` may begin: behind those of the turns before it, so that a text that another turn has too is not taken for
 * it. The system's turn stands anywhere, and where an earlier text is not found as it is the search begins behind the last that was.
 */
function startOf(turns: readonly Message[], i: number, text: string): number {
  if (turns[i]?.role === "system") return 0;
  let at = 0;
  for (const turn of turns.slice(0, i)) {
    if (turn.role === "system") continue;
    const content = turn.content.trim();
    const found = text.indexOf(content, at);
    if (found !== -1) at = found + content.length;
  }
  return at;
}

function partsOf({ content, whole }: Message): readonly string[] {
  const parts = whole?.["content"];
  if (!Array.isArray(parts)) return [content];
  return parts.flatMap((part) => {
    const text = isObject(part) ? part["text"] : part;
    return typeof text === "string" ? [text] : [];
  });
}

function shows(text: string, part: string): boolean {
  const plain = part.trim();
  if (text.includes(plain) || text.includes(JSON.stringify(plain).slice(1, -1))) return true;
  return squash(text).includes(squash(plain));
}

/** Without white space, Python's and JavaScript's, which templates take away, move and put in. */
const squash = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, "");

const hasThinking = (text: string): boolean => answerText(text) !== text.trim();

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Keys whose texts templates compare with words of theirs; names of other things, not things said. */
const WORDS = new Set(
  "type role id doc_id tool_call_id index format required enum const $schema $ref".split(" "),
);

interface Mark {
  readonly text: string;
  readonly name: string;
  readonly isReasoning: boolean;
  readonly isAsked: boolean;
}

function hiddenStrings(row: RowTurns, renderAgain: RenderAgain): readonly string[] {
  const marks: Mark[] = [];
  const marked = markRow(row, marks);
  if (marks.length === 0) return [];
  const again = renderAgain(marked);
  if (again === undefined) return [];
  const text = [again.head, ...again.wholes].join("\n").toLowerCase();
  const isShown = (mark: Mark): boolean => text.includes(mark.text);
  const showsReasoning = marks.some((mark) => mark.isReasoning && isShown(mark));
  return marks
    .filter((mark) => !isShown(mark) && !(mark.isReasoning && mark.isAsked && showsReasoning))
    .map(({ name }) => name);
}

function markRow({ prompt, responses, context }: RowTurns, marks: Mark[]): RowTurns {
  const mark = (value: JsonValue, name: string, isAsked: boolean): JsonValue => {
    const isReasoning = (REASONING_KEYS as readonly string[]).includes(name);
    return markStrings(value, () => {
      const text = `culprit${marks.length}mark`;
      marks.push({ text, name, isReasoning, isAsked });
      return text;
    });
  };
  const markTurn = (turn: Message, isAsked: boolean): Message => {
    const keys = spokenKeysOf(turn);
    if (keys.length === 0) return turn;
    const whole = Object.entries(wholeTurn(turn)).map(([key, value]) => [
      key,
      keys.includes(key) && value !== undefined ? mark(value, key, isAsked) : value,
    ]);
    return { ...turn, whole: Object.fromEntries(whole) as JsonObject }; // the turn's own keys
  };
  const { tools, documents } = context;
  const markedContext: RowContext = {
    ...context,
    tools: tools?.map((each) => mark(each, "tools", true)),
    documents: documents?.map((each) => mark(each, "documents", true)),
  };
  return {
    prompt: prompt.map((turn) => markTurn(turn, true)),
    responses: responses.map((turns) => turns.map((turn) => markTurn(turn, false))),
    context: markedContext,
  };
}

/** A value with a mark behind each text that says something, and a key more where only names and numbers do. */
function markStrings(value: JsonValue, newMark: () => string, key = ""): JsonValue {
  if (typeof value === "string") {
    return value.trim() === "" || WORDS.has(key) ? value : `${value}${newMark()}`;
  }
  if (Array.isArray(value)) return value.map((each) => markStrings(each, newMark, key));
  if (!isObject(value) || WORDS.has(key)) return value;
  const entries = Object.entries(value).map(([name, each]): [string, JsonValue] => [
    name,
    // Under "properties" stand names of parameters, not words of the schema.
    markStrings(each, newMark, key === "properties" ? "" : name),
  ]);
  if (entries.length === 0) return value;
  if (key === "properties") entries.push([newMark(), { type: "string" }]);
  if (key === "arguments" && !entries.some(([, each]) => typeof each === "string")) {
    entries.push([newMark(), 0]);
  }
  return Object.fromEntries(entries);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  const isThing = typeof value === "object" && value !== null && !Array.isArray(value);
  return isThing && !(value instanceof JsonFloat);
}
