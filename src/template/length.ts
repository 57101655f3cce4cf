import { lengthOf } from "./text.ts";
import { Thing, type Value, textOf } from "./values.ts";

/** `len(value)`, undefined where the type has none. */
export function sizeOf(value: Value): number | undefined {
  if (Array.isArray(value)) return value.length;
  const text = textOf(value);
  if (text !== undefined) return lengthOf(text);
  return value instanceof Thing ? value.size?.() : undefined;
}
