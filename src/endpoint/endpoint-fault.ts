/** What went wrong with one request, and whether asking again can help. */
export class EndpointFault extends Error {
  /** A few words for tables, the same for all faults of a kind. */
  readonly what: string;
  /**
   * `again`: may go away. `item`: this request is refused, others need not be. `all`: none will be answered. `unreachable`: nobody was
   * there; may go away, but not where nobody ever was.
   */
  readonly concerns: "again" | "item" | "all" | "unreachable";
  /** Milliseconds that the endpoint asks to wait. */
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  /** What the endpoint said, for looking at; never printed at length. */
  readonly detail: string;

  constructor(
    what: string,
    concerns: EndpointFault["concerns"],
    more: {
      readonly retryAfterMs?: number | undefined;
      readonly status?: number | undefined;
      readonly detail?: string;
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
  }
}

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
  if (status === 404) return fault("no such model or address", "all");
  if (status === 429) {
    return /insufficient_quota/.test(detail)
      ? fault("nothing left to pay with", "all")
      : fault("rate limited", "again");
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

const UNREACHABLE = ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"];

/** The fault behind an error of the connection. */
export function faultOfConnection(error: unknown): EndpointFault {
  const code = codeOf(error);
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
