import { isObject, ownField } from "../readers/file-row.ts";
import { kindOf } from "./kind-of.ts";
import { RowProblem } from "./shape.ts";

/** Kinds of parts that no text model reads. */
const MEDIA = /image|video|audio|file/;

/**
 * The text of a turn's content: text, or a list of text parts as vision-ready data has it; byte for byte, nothing trimmed. Absent content
 * is "" where it may be absent, beside a call. Throws RowProblem, which names images and the like.
 */
export function readContent(
  content: unknown,
  where: string,
  { mayBeAbsent }: { readonly mayBeAbsent: boolean },
): string {
  if (typeof content === "string") return wholeText(content, where);
  const isEmpty = content === null || content === undefined || isEmptyList(content);
  if (isEmpty && mayBeAbsent) return "";
  if (Array.isArray(content) && content.length > 0) {
    return content.map((part) => readPart(part, where)).join("");
  }
  throw new RowProblem("wrong-type", `${where}: expected text as content, got ${kindOf(content)}`);
}

/** The text itself. Throws RowProblem where it holds half of a character: JSON can spell one, no tokenizer reads it. */
export function wholeText(text: string, where: string): string {
  const at = text.search(/\p{Surrogate}/u);
  if (at === -1) return text;
  throw new RowProblem(
    "not-text",
    `${where}: expected text, got half of a character (a lone surrogate) at place ${at}`,
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function readPart(part: unknown, where: string): string {
  const kind = isObject(part) ? ownField(part, "type") : undefined;
  const text = isObject(part) && kind === "text" ? ownField(part, "text") : undefined;
  if (typeof text === "string") return wholeText(text, where);
  if (typeof kind === "string" && MEDIA.test(kind)) {
    throw new RowProblem(
      "not-text",
      `${where}: expected text parts only, got a part of type ${JSON.stringify(kind.slice(0, 40))}; images, sound and files are not read`,
    );
  }
  throw new RowProblem(
    "wrong-type",
    `${where}: expected text parts only, got another kind of part`,
  );
}
