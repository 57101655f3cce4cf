import { toText } from "./print.ts";
import { Markup, type Value } from "./values.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;",
};

/** The text of a value for HTML, as MarkupSafe writes it; of Markup as it is. */
export function escapeHtml(value: Value): string {
  if (value instanceof Markup) return value.text;
  return toText(value).replace(/[&<>'"]/g, (c) => ENTITIES[c]!);
}
