/** @file The methods of str that look for another text, within a slice of their own. */
import { toIndex } from "./numbers.ts";
import { typeError, valueError } from "./python-error.ts";
import { clampIndex } from "./slices.ts";
import { codePoints, pointIndex } from "./text.ts";
import { Tuple, type Value, textOf, typeName } from "./values.ts";

type Given = Value | undefined;
type Search = readonly [string, (text: string, ...args: Given[]) => Value];

/** What of the text a method looks at, and how many code points come before it; undefined where start lies behind the end. */
interface Scope {
  readonly part: string;
  readonly start: number;
}

function scopeOf(text: string, from: Given, to: Given): Scope | undefined {
  if (from === undefined && to === undefined) return { part: text, start: 0 };
  const points = codePoints(text);
  const start = from === undefined || from === null ? 0 : clampStart(toIndex(from), points.length);
  const stop =
    to === undefined || to === null ? points.length : clampIndex(toIndex(to), points.length);
  if (start > points.length || start > stop) return undefined;
  const part = points.slice(start, stop);
  return { part: typeof part === "string" ? part : part.join(""), start };
}

/** A start behind the end stays there: nothing is found from it, not even "". */
function clampStart(index: number, length: number): number {
  return index < 0 ? Math.max(0, index + length) : index;
}

function needText(value: Given): string {
  const text = textOf(value ?? null);
  if (text === undefined) throw typeError(`must be str, not ${typeName(value ?? null)}`);
  return text;
}

function finding(last: boolean, strict: boolean): Search {
  return [
    "sub start? end?",
    (text, sub, from, to) => {
      const wanted = needText(sub);
      const scope = scopeOf(text, from, to);
      const at =
        scope === undefined
          ? -1
          : last
            ? scope.part.lastIndexOf(wanted)
            : scope.part.indexOf(wanted);
      if (at < 0 && strict) throw valueError("substring not found");
      return BigInt(at < 0 ? -1 : scope!.start + pointIndex(scope!.part, at)); // at ≥ 0: there is a scope
    },
  ];
}

function affix(name: "startswith" | "endswith"): Search {
  return [
    "affix start? end?",
    (text, affixes, from, to) => {
      const scope = scopeOf(text, from, to);
      const wanted = affixes instanceof Tuple ? affixes.values : [affixes];
      const all = wanted.map(needText);
      if (scope === undefined) return false;
      return all.some((one) =>
        name === "startswith" ? scope.part.startsWith(one) : scope.part.endsWith(one),
      );
    },
  ];
}

export const searchMethods: Readonly<Record<string, Search>> = {
  find: finding(false, false),
  rfind: finding(true, false),
  index: finding(false, true),
  rindex: finding(true, true),
  startswith: affix("startswith"),
  endswith: affix("endswith"),
  count: [
    "sub start? end?",
    (text, sub, from, to) => {
      const wanted = needText(sub);
      const scope = scopeOf(text, from, to);
      if (scope === undefined) return 0n;
      const gaps =
        wanted === "" ? codePoints(scope.part).length + 1 : scope.part.split(wanted).length - 1;
      return BigInt(gaps);
    },
  ],
};
