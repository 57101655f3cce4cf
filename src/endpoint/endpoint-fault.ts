import type { APIError } from "openai";

import type { ReportedTokens } from "./money.ts";
import { openaiPackage } from "./openai-package.ts";

/** Characters of an endpoint's own words. */
export const MAX_DETAIL = 500;

/** What went wrong with one request, and whether asking again can help. */
export class EndpointFault extends Error {
  /** A few words for tables, the same for all faults of a kind. */
  readonly what: string;
  /**
   * `again`: may go away. `item`: this request is refused, others need not be. `all`: none will be answered. `unreachable`: nobody was
   * there; may go away, but not where nobody ever was, which ends the run at once. `form`: the endpoint will be asked in another form from now
   * on, at once and at nobody's cost.
   */
  readonly concerns: "again" | "item" | "all" | "unreachable" | "form";
  /** Milliseconds that the endpoint asks to wait. */
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  /** What the endpoint said, for looking at; never printed at length. */
  readonly detail: string;
  /** An answer came that cannot be used: what it took, as far as the endpoint says. Undefined where none came. */
  readonly billed: ReportedTokens | undefined;

  constructor(
    what: string,
    concerns: EndpointFault["concerns"],
    more: {
      readonly retryAfterMs?: number | undefined;
      readonly status?: number | undefined;
      readonly detail?: string | undefined;
      readonly billed?: ReportedTokens | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(what, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "EndpointFault";
    this.what = what;
    this.concerns = concerns;
    this.retryAfterMs = more.retryAfterMs;
    this.status = more.status;
    this.detail = more.detail ?? "";
    this.billed = more.billed;
  }
}

/** The fault behind what the client threw; the key is taken out of what the endpoint said. */
export function faultOf(error: unknown, apiKey?: string): EndpointFault {
  if (error instanceof EndpointFault) {
    const { what, concerns, ...more } = error;
    return new EndpointFault(what, concerns, {
      ...more,
      detail: withoutKey(error.detail, apiKey),
      cause: error.cause,
    });
  }
  const { APIConnectionError, APIError } = openaiPackage();
  if (error instanceof APIError && error.status !== undefined) {
    const status = error.status as number; // not undefined, see above
    return faultOfStatus(
      status,
      (error.headers as Headers | undefined) ?? new Headers(),
      withoutKey(describeRefusal(error), apiKey).slice(0, MAX_DETAIL),
    );
  }
  if (error instanceof APIConnectionError && /timed? ?out/i.test(error.message)) {
    return new EndpointFault("timed out", "again", { cause: error });
  }
  return faultOfConnection(error);
}

/** The code where there is one, and the words without the status, which is told beside them. */
function describeRefusal({ code, error }: APIError): string {
  const { message } = error as { readonly message: string }; // as Client makes it
  return `${code ?? ""} ${message}`.trim();
}

const withoutKey = (text: string, apiKey: string | undefined): string =>
  apiKey === undefined ? text : text.replaceAll(apiKey, "\u2026");

export const NO_MODEL = "no such model or address";
/** Several servers know no 404 for a model. */
const UNKNOWN_MODEL =
  /model_not_found|pinned to .{0,200}; requested|(?:invalid|unknown|no such) model|model\b.{0,80}(?:not found|not exist)/i;
/** What servers say that take no JSON schema, or cannot follow this one. */
const UNKNOWN_SCHEMA =
  /response_?format|json_?schema|structured.?outputs?|guided.?(?:decoding|json)|\bgrammar/i;

/** The fault that an HTTP status means. */
export function faultOfStatus(status: number, headers: Headers, detail: string): EndpointFault {
  const fault = (what: string, concerns: EndpointFault["concerns"]): EndpointFault =>
    new EndpointFault(`${what} (${status})`, concerns, {
      status,
      detail,
      retryAfterMs: retryAfterMs(headers),
    });
  if (status === 401) return fault("key refused", "all");
  if (status === 402) return fault("nothing left to pay with", "all");
  if (status === 403) return fault("not allowed", "all");
  const isModel = UNKNOWN_MODEL.test(detail);
  const isSchema = UNKNOWN_SCHEMA.test(detail);
  // Routers say so of a model that no server of theirs holds to a schema.
  if (status === 404 && isSchema && !isModel) return fault("request refused", "item");
  if (status === 404) return fault(NO_MODEL, "all");
  if (status === 429) {
    return /insufficient_quota/.test(detail)
      ? fault("nothing left to pay with", "all")
      : fault("rate limited", "again");
  }
  if ((status === 400 || status === 422) && isModel) return fault(NO_MODEL, "all");
  // Not this request's fault, but it will not go away either.
  if (status === 501 || (status >= 500 && isSchema)) {
    return fault("request refused", "item");
  }
  if (status === 408 || status === 409 || status === 425 || status >= 500) {
    return fault("server error", "again");
  }
  return fault("request refused", "item");
}

/** The wait that `retry-after-ms` or `retry-after` (seconds or a date) asks for. */
export function retryAfterMs(headers: Headers, nowMs: number = Date.now()): number | undefined {
  const exact = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const UNREACHABLE = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "bad port",
];

/** The fault behind an error of the connection. */
function faultOfConnection(error: unknown): EndpointFault {
  // Ports that HTTP clients never ask, 9 say: they give no code.
  const code = codeOf(error) || (/\bbad port\b/.test(innermost(error)) ? "bad port" : "");
  return UNREACHABLE.includes(code)
    ? new EndpointFault(`endpoint unreachable (${code})`, "unreachable", { cause: error })
    : new EndpointFault("connection cut", "again", { cause: error, detail: code });
}

/** The code of the innermost error that has one. */
function codeOf(error: unknown): string {
  let code = "";
  for (let at = error; at instanceof Error; at = at.cause) {
    const own = (at as NodeJS.ErrnoException).code;
    if (typeof own === "string") code = own;
    // Both addresses of a host refused: the first stands for all.
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]) || code;
  }
  return code;
}

/** The message of the innermost error. */
function innermost(error: unknown): string {
  let message = "";
  for (let at = error; at instanceof Error; at = at.cause) message = at.message;
  return message;
}
