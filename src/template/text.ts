/** @file What Python's str does where JavaScript's strings differ: it counts code points, and its white space and case are other ones. */

/** What str.isspace() and `\s` of Python's `re` hold to be white space. */
export const PYTHON_SPACES =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000";
const SPACES = new Set(PYTHON_SPACES);
const SURROGATE = /[\ud800-\udfff]/;
/** No conversation is longer; what would be is a fault or an attack. */
export const MAX_TEXT_LENGTH = 2 ** 26;

/** The characters of a text: an array of code points where it has any beyond the basic plane, else the text itself. */
export function codePoints(text: string): string | readonly string[] {
  return SURROGATE.test(text) ? Array.from(text) : text;
}

/** Always as an array. */
export function characters(text: string): string[] {
  return Array.from(text);
}

export function lengthOf(text: string): number {
  return codePoints(text).length;
}

export function isSpace(character: string): boolean {
  return SPACES.has(character);
}

/** A position in code points as one in UTF-16 units. */
export function unitIndex(text: string, index: number): number {
  const points = codePoints(text);
  return typeof points === "string" ? index : points.slice(0, index).join("").length;
}

/** A position in UTF-16 units as one in code points. */
export function pointIndex(text: string, unit: number): number {
  return unit < 0 ? unit : lengthOf(text.slice(0, unit));
}

/** `a < b` of texts: by code point, where JavaScript goes by UTF-16 unit. */
export function compareTexts(a: string, b: string): number {
  const [left, right] = [codePoints(a), codePoints(b)];
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    if (left[i] !== right[i]) return left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
  }
  return left.length - right.length;
}

/** strip, lstrip and rstrip; `taken` undefined means white space. */
export function strip(text: string, side: "both" | "left" | "right", taken?: string): string {
  const isTaken = taken === undefined ? SPACES : new Set(taken);
  const points = codePoints(text);
  let start = 0;
  let end = points.length;
  if (side !== "right") while (start < end && isTaken.has(points[start]!)) start++;
  if (side !== "left") while (end > start && isTaken.has(points[end - 1]!)) end--;
  const kept = points.slice(start, end);
  return typeof kept === "string" ? kept : kept.join("");
}

/** `text.split()`: at runs of white space, at most `limit` times from the left. */
export function splitAtSpaces(text: string, limit: number): string[] {
  const parts: string[] = [];
  let rest = strip(text, "left");
  while (rest !== "" && parts.length < limit) {
    let end = 0;
    while (end < rest.length && !isSpace(rest[end]!)) end++;
    parts.push(rest.slice(0, end));
    rest = strip(rest.slice(end), "left");
  }
  if (rest !== "") parts.push(strip(rest, limit === Infinity ? "both" : "left"));
  return parts;
}

/** The same from the right. */
export function splitAtSpacesFromRight(text: string, limit: number): string[] {
  const parts: string[] = [];
  let rest = strip(text, "right");
  while (rest !== "" && parts.length < limit) {
    let start = rest.length;
    while (start > 0 && !isSpace(rest[start - 1]!)) start--;
    parts.unshift(rest.slice(start));
    rest = strip(rest.slice(0, start), "right");
  }
  if (rest !== "") parts.unshift(rest);
  return parts;
}

/** Python's line ends, beside the pair of carriage return and line feed. */
const LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029";
const LINE = new RegExp(`[^${LINE_ENDS}]*(?:\r\n|[${LINE_ENDS}]|$)`, "g");
const LINE_END = new RegExp(`(?:\r\n|[${LINE_ENDS}])$`);

/** `text.splitlines()`. */
export function splitLines(text: string, keepEnds: boolean): string[] {
  const lines = (text.match(LINE) ?? []).filter((line) => line !== "");
  return keepEnds ? lines : lines.map((line) => line.replace(LINE_END, ""));
}

/** Title cases that are no upper cases, each behind its character. */
const TITLES = new Map(
  "ǄǅǅǅǆǅǇǈǈǈǉǈǊǋǋǋǌǋǱǲǲǲǳǲᾳᾼᾼᾼῃῌῌῌῳῼῼῼ".match(/../gu)?.map((pair) => [pair[0], pair[1]]),
);

/** A character as the first of a title: mostly its upper case. */
function titleOf(character: string): string {
  const listed = TITLES.get(character);
  if (listed !== undefined) return listed;
  if (character === "ŉ") return "ʼN";
  if (/[\u10d0-\u10ff]/.test(character)) return character;
  if (/[\u1f80-\u1faf]/.test(character)) {
    return String.fromCodePoint(character.codePointAt(0)! | 8);
  }
  const upper = character.toUpperCase();
  if (/[\u1fb2-\u1ff7]/.test(character) && upper.length > 1)
    return upper.replace(/\u0399$/, "\u0345");
  const [first = "", ...rest] = upper;
  return first + rest.join("").toLowerCase();
}

/** `text.capitalize()`. */
export function capitalize(text: string): string {
  const [first = ""] = text;
  // The lower case of the rest depends on what stands before it (a final sigma).
  return titleOf(first) + text.toLowerCase().slice(first.toLowerCase().length);
}

/** `text.title()`: each run of letters begins with a capital. */
export function titleCase(text: string): string {
  return text.replace(/\p{Cased}+/gu, (run, offset: number) => {
    const [first = ""] = run;
    const lower = (text.slice(0, offset) + run).toLowerCase();
    return titleOf(first) + lower.slice((text.slice(0, offset) + first).toLowerCase().length);
  });
}

export function swapCase(text: string): string {
  const swapped = characters(text).map((c) => {
    if (/\p{Uppercase}/u.test(c)) return c.toLowerCase();
    return /\p{Lowercase}/u.test(c) ? c.toUpperCase() : c;
  });
  return swapped.join("");
}

/** Of the predicates of str, those whose answer is the same for all characters. */
export const ALL_CHARACTERS: Readonly<Record<string, RegExp>> = {
  isalpha: /^\p{L}+$/u,
  isdecimal: /^\p{Nd}+$/u,
  isascii: /^\p{ASCII}*$/u,
  isprintable: /^(?:[^\p{C}\p{Z}]| )*$/u,
  isidentifier: /^[\p{XID_Start}_]\p{XID_Continue}*$/u,
  isnumeric:
    /^[\p{N}㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零\uf96b\uf973\uf978\uf9b2\uf9d1\uf9d3\uf9fd\u{20001}\u{20064}\u{200e2}\u{20121}\u{2092a}\u{20983}\u{2098c}\u{2099c}\u{20aea}\u{20afd}\u{20b19}\u{22390}\u{22998}\u{23b1b}\u{2626d}\u{2f890}]+$/u,
  isdigit:
    /^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒፩-፱᧚\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]+$/u,
};

/** `text.isspace()`. */
export function isAllSpace(text: string): boolean {
  return text !== "" && characters(text).every(isSpace);
}

export function isUpper(text: string): boolean {
  return /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);
}

export function isLower(text: string): boolean {
  return /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text);
}

export function isTitle(text: string): boolean {
  const runs = text.match(/\p{Cased}+/gu) ?? [];
  return runs.length > 0 && runs.every((run) => /^[\p{Uppercase}\p{Lt}]\p{Lowercase}*$/u.test(run));
}
