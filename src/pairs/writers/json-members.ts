import { skipSpace, stringEnd } from "../../util/json-scan.ts";

/** One member of a JSON object, as offsets into its text. */
export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** What may stand between quotes and brackets. */
const PLAIN = /[^"{}[\]]*/y;

/**
 * The members of an object's text, in its order, without parsing the values: what is cut out and put elsewhere stays as it was
 * written, to the last digit. Where a key stands twice, the last one counts, as in JSON.parse. `text` must be valid JSON.
 */
export function scanMembers(text: string): ReadonlyMap<string, JsonMember> {
  const members = new Map<string, JsonMember>();
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string; // a string's text
    const valueStart = skipSpace(text, text.indexOf(":", keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.set(key, { key, keyStart: at, keyEnd, valueStart, valueEnd });
    // After a value stands a comma or the object's end.
    at = skipSpace(text, skipSpace(text, valueEnd) + 1);
  }
  return members;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return stringEnd(text, start);
  if (text[start] !== "{" && text[start] !== "[") {
    const length = text.slice(start, start + 400).search(/[\s,}]/);
    if (length !== -1) return start + length;
    // A number of that many digits.
    return start + text.slice(start).search(/[\s,}]/);
  }
  let depth = 0;
  for (let at = start; ;) {
    PLAIN.lastIndex = at;
    PLAIN.test(text);
    at = PLAIN.lastIndex;
    if (text[at] === '"') {
      at = stringEnd(text, at);
      continue;
    }
    depth += text[at] === "{" || text[at] === "[" ? 1 : -1;
    at++;
    if (depth === 0) return at;
  }
}
