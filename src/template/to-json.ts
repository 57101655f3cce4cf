import { Dict } from "./dict.ts";
import { compareValues } from "./operators.ts";
import { floatText } from "./print.ts";
import { PythonError, typeError, valueError } from "./python-error.ts";
import { Tuple, type Value, isTrue, textOf, typeName } from "./values.ts";

interface JsonStyle {
  readonly ascii: boolean;
  /** What one level is indented by; undefined for all on one line. */
  readonly indent: string | undefined;
  readonly itemSeparator: string;
  readonly keySeparator: string;
  readonly sortKeys: boolean;
}

/** The parameters of `tojson` as transformers defines it, each undefined where it was not given. */
export interface JsonOptions {
  readonly ensureAscii: Value | undefined;
  readonly indent: Value | undefined;
  readonly separators: Value | undefined;
  readonly sortKeys: Value | undefined;
}

/** `json.dumps(value, …)` of Python. Throws a TypeError for what JSON has no form for. */
export function toJson(value: Value, options: JsonOptions): string {
  const indent = indentOf(options.indent ?? null);
  const [itemSeparator, keySeparator] = separatorsOf(options.separators ?? null, indent);
  const style = {
    ascii: isTrue(options.ensureAscii ?? false),
    indent,
    itemSeparator,
    keySeparator,
    sortKeys: isTrue(options.sortKeys ?? false),
  };
  return write(value, style, "\n");
}

function indentOf(indent: Value): string | undefined {
  if (indent === null) return undefined;
  const text = textOf(indent);
  if (text !== undefined) return text;
  if (typeof indent === "bigint") return " ".repeat(Math.max(0, Number(indent)));
  if (typeof indent === "boolean") return indent ? " " : "";
  throw typeError(`can't multiply sequence by non-int of type '${typeName(indent)}'`);
}

function separatorsOf(separators: Value, indent: string | undefined): readonly [string, string] {
  if (separators === null) return [indent === undefined ? ", " : ",", ": "];
  const items = separators instanceof Tuple ? separators.values : separators;
  if (!Array.isArray(items) || items.length !== 2) {
    throw valueError("tojson: separators must be a pair of texts");
  }
  const [item, key] = items.map(textOf);
  if (item === undefined || key === undefined) throw typeError("separators must be texts");
  return [item, key];
}

/** `newline` is the line break with the indentation of the level that `value` stands on. */
function write(value: Value, style: JsonStyle, newline: string): string {
  const text = textOf(value);
  if (text !== undefined) return jsonText(text, style.ascii);
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return jsonFloat(value);
  const inner = newline + (style.indent ?? "");
  if (value instanceof Dict) {
    const members = sortedEntries(value, style).map(
      ([key, member]) =>
        jsonText(keyText(key), style.ascii) + style.keySeparator + write(member, style, inner),
    );
    return enclose("{", members, "}", style, newline);
  }
  const items = value instanceof Tuple ? value.values : value;
  if (!Array.isArray(items)) {
    throw typeError(`Object of type ${typeName(value)} is not JSON serializable`);
  }
  return enclose(
    "[",
    items.map((item: Value) => write(item, style, inner)),
    "]",
    style,
    newline,
  );
}

function enclose(
  open: string,
  members: readonly string[],
  close: string,
  { indent, itemSeparator }: JsonStyle,
  newline: string,
): string {
  if (members.length === 0) return open + close;
  if (indent === undefined) return open + members.join(itemSeparator) + close;
  const inner = newline + indent;
  return open + inner + members.join(itemSeparator + inner) + newline + close;
}

function sortedEntries(dict: Dict, { sortKeys }: JsonStyle): (readonly [Value, Value])[] {
  const entries = [...dict.entries()];
  return sortKeys ? entries.toSorted(([a], [b]) => compareValues(a, b, "<")) : entries;
}

function keyText(key: Value): string {
  const text = textOf(key);
  if (text !== undefined) return text;
  if (key === null) return "null";
  if (typeof key === "boolean" || typeof key === "bigint") return String(key);
  if (typeof key === "number") return jsonFloat(key);
  throw new PythonError(
    "TypeError",
    `keys must be str, int, float, bool or None, not ${typeName(key)}`,
  );
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  return floatText(value);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};

function jsonText(text: string, ascii: boolean): string {
  const special = ascii ? /["\\]|[^ -~]/g : /["\\]|[^ -\uffff]/g;
  const unit = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `"${text.replace(special, (c) => ESCAPES[c] ?? unit(c))}"`;
}
