/** Bytes of a page in place of an answer, a proxy's say, that may still hold a reason. */
const MAX_TEXT = 2000;

/**
 * Why a server refuses, from the body of its answer: OpenAI's `error.message`, FastAPI's `detail` (a text, or a list with the place of each
 * fault), `message` or `error` itself elsewhere, or the text as it is, tags of a page aside. "" where it gives no reason.
 */
export function refusalWords(body: unknown): string {
  if (typeof body === "string") return withoutTags(body.slice(0, MAX_TEXT));
  if (Array.isArray(body)) return body.map(refusalWords).filter(Boolean).join("; ");
  if (!isFields(body)) return "";
  const { loc, msg, error, message, detail, errors } = body;
  if (typeof msg === "string") {
    return Array.isArray(loc) ? `${loc.join(".")}: ${msg}` : msg;
  }
  const own = [error, message, detail, errors].map(refusalWords).find(Boolean) ?? "";
  const { metadata } = body; // OpenRouter's: what the server behind it said
  const behind = isFields(metadata) ? refusalWords(metadata["raw"]) : "";
  return [own, behind].filter(Boolean).join(": ");
}

/** The code of a refusal, and the field that it is about, as OpenAI's servers give them: "" where there are none. */
export function refusalCode(body: unknown): string {
  const error = isFields(body) && isFields(body["error"]) ? body["error"] : body;
  if (!isFields(error)) return "";
  return ["code", "param"]
    .flatMap((name) => (typeof error[name] === "string" ? [error[name]] : []))
    .join(" ");
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const withoutTags = (text: string): string =>
  text
    .replaceAll(/<(script|style)\b[\s\S]*?<\/\1>|<[^>]*>/gi, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
