import type { ChatAnswer } from "../endpoint/chat-endpoint.ts";
import { answerText, endsOfThinking } from "../format/thinking-marks.ts";
import { isObject, ownField } from "../pairs/readers/file-row.ts";
import type { RubricAnswer } from "./rubric.ts";
import type { Label } from "./verdict.ts";

/** What an answer says, or why it says nothing. */
export type ParsedAnswer =
  | { readonly label: Label; readonly score?: number | undefined; readonly reason?: string }
  | {
      readonly missing: string;
      /** Whether the judge meant it: asking again would be asking for another opinion. */
      readonly isFinal: boolean;
      /** It is the judge's own word, by a label of the rubric that means neither. */
      readonly isSaid?: true | undefined;
    };

const unreadable = (missing: string): ParsedAnswer => ({ missing, isFinal: false });

/**
 * Reads a judge's answer strictly: all of the text, or of what follows a `</think>`, is one JSON object, in a code fence at most, with a score on the
 * scale or a label of the rubric. Whatever else it is, no label comes of it. Scores come out on 0 to 100.
 */
export function parseAnswer(
  { text, finish }: Pick<ChatAnswer, "text" | "finish">,
  rubric: RubricAnswer,
): ParsedAnswer {
  if (finish === "filtered") return { missing: "judge's answer filtered", isFinal: true };
  if (finish === "refused") return { missing: "judge refused to answer", isFinal: true };
  const parsed = parseBehindThinking(text, rubric);
  const isCut = "missing" in parsed && !parsed.isFinal && finish === "length";
  return isCut ? unreadable("judge's answer cut off") : parsed;
}

/** The longest end of the text behind a mark that ends thinking, or all of it, that is a verdict: a reason may have such a mark in it, and so may the thinking. */
function parseBehindThinking(text: string, rubric: RubricAnswer): ParsedAnswer {
  const ends = [0, ...endsOfThinking(text)];
  for (const end of ends.slice(0, -1)) {
    const parsed = parseObject(text.slice(end).trim(), rubric);
    if (!("missing" in parsed) || parsed.isFinal) return parsed;
  }
  const answer = answerText(text.slice(ends.at(-1)));
  return answer === "" ? unreadable("judge's answer empty") : parseObject(answer, rubric);
}

function parseObject(answer: string, rubric: RubricAnswer): ParsedAnswer {
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/.exec(answer);
  let json: unknown;
  try {
    json = JSON.parse(fenced?.[1] ?? answer);
  } catch {
    return unreadable("judge's answer unreadable");
  }
  if (!isObject(json)) return unreadable("judge's answer unreadable");
  const value = ownField(json, rubric.kind);
  const words = ownField(json, "reason");
  const reason = typeof words === "string" && words !== "" ? { reason: words } : {};
  if (rubric.kind === "score") {
    const { low, high, threshold } = rubric;
    if (typeof value !== "number") return unreadable("judge's answer without a score");
    if (!(value >= low && value <= high)) return unreadable("judge's score off the scale");
    const score = (100 * (value - low)) / (high - low);
    return { label: value >= threshold ? "shows" : "not", score, ...reason };
  }
  if (typeof value !== "string" || !Object.hasOwn(rubric.labels, value)) {
    return unreadable("judge's answer without a label of the rubric");
  }
  const label = rubric.labels[value]!; // it has it, see above
  return label === "missing"
    ? { missing: `judge says ${value}`, isFinal: true, isSaid: true }
    : { label, ...reason };
}
