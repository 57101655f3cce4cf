/** @file `str(x)` and `repr(x)` as Python writes them. */
import { UnsupportedConstruct, valueError } from "./python-error.ts";
import { Markup, Thing, Undefined, type Value, typeName } from "./values.ts";

/** Python writes no longer whole numbers than this. */
const MAX_INT_DIGITS = 4300;

/** `str(value)`: what `{{ value }}` prints. */
export function toText(value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return "";
  return toRepr(value);
}

/** `repr(value)`. Throws where Python would print an address in memory. */
export function toRepr(value: Value): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return intText(value);
  if (typeof value === "number") return floatText(value);
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${value.map(toRepr).join(", ")}]`;
  const text = value instanceof Thing ? value.repr(toRepr) : undefined;
  if (text !== undefined) return text;
  throw new UnsupportedConstruct(
    `it prints a ${typeName(value)}, for which Python writes another text in each run`,
  );
}

function intText(value: bigint): string {
  const text = value.toString();
  if (text.length > MAX_INT_DIGITS + 1) {
    throw valueError(`Exceeds the limit (${MAX_INT_DIGITS} digits) for integer string conversion`);
  }
  return text;
}

/** The shortest text that reads as this float; an exponent below 1e-4 and from 1e16 on. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    const sign = power < 0 ? "-" : "+";
    return `${digits}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const text =
    power < 0 && value !== 0
      ? value.toFixed(digits.replace(/[-.]/g, "").length - 1 - power)
      : value.toString();
  return text.includes(".") ? text : `${text}.0`;
}

/** Text in quotes: single ones unless it has such and no double ones; what cannot be printed as an escape. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (c) => {
    if (c === "\\" || c === mark) return `\\${c}`;
    return c === "'" || c === '"' ? c : escapeCharacter(c);
  });
  return mark + inner + mark;
}

function escapeCharacter(character: string): string {
  const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const code = character.codePointAt(0)!; // a match has a character
  const hex = (digits: number): string => code.toString(16).padStart(digits, "0");
  if (code < 0x100) return short[character] ?? `\\x${hex(2)}`;
  return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
