/**
 * @file One way out to the network. Redirects are followed here and not by fetch, because this is where it is decided
 * which host gets the token: the endpoint's own origin and nobody else, whatever a redirect or a Link header says.
 */
import { RuntimeError } from "../util/errors.ts";
import { VERSION } from "../util/version.ts";
import {
  describeRefusal,
  describeSubject,
  printable,
  TransientHubError,
  type HubSubject,
} from "./hub-errors.ts";
import type { HubOptions, HubSettings, RetryPolicy } from "./hub-settings.ts";

/** What a request needs to know besides its address. */
export interface HubConnection {
  readonly settings: HubSettings;
  readonly fetch: typeof fetch;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal | undefined;
}

/** An answer with status 2xx whose body has not been read yet. */
export interface HubAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body, once; throws TransientHubError where the connection is cut or falls silent. */
  chunks(): AsyncIterable<Uint8Array>;
}

const MAX_REDIRECTS = 10;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
/** 416 is not here: the caller never asks beyond the listed size. */
const TRANSIENT_STATUSES = [408, 425, 429, 500, 502, 503, 504];

/** Prepares requests with the settings; sends nothing. */
export function createHubConnection(settings: HubSettings, options: HubOptions): HubConnection {
  return {
    settings,
    fetch: options.fetch ?? fetch,
    retry: { tries: 5, firstDelayMs: 500, idleTimeoutMs: 30_000, ...options.retry },
    signal: options.signal,
  };
}

/**
 * One GET, redirects followed; `use` reads the answer, after which the connection is closed.
 * Throws TransientHubError where another attempt may help and a CulpritError where not.
 */
export async function requestOnce<T>(
  connection: HubConnection,
  subject: HubSubject,
  url: string,
  headers: Readonly<Record<string, string>>,
  use: (answer: HubAnswer) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const silence = setTimeout(
    () => abort.abort(new Error("no byte arrived in time")),
    connection.retry.idleTimeoutMs,
  );
  const stop = (): void => abort.abort(connection.signal?.reason);
  connection.signal?.throwIfAborted();
  connection.signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await followRedirects(connection, subject, url, headers, abort.signal);
    silence.refresh();
    return await use({
      status: response.status,
      headers: response.headers,
      chunks: () => readChunks(response, () => void silence.refresh()),
    });
  } catch (error) {
    connection.signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(silence);
    connection.signal?.removeEventListener("abort", stop);
    // Drops a body that was not read to its end; without effect otherwise.
    abort.abort(new Error("done"));
  }
}

async function followRedirects(
  connection: HubConnection,
  subject: HubSubject,
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  const home = new URL(connection.settings.endpoint);
  let at = new URL(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(connection, at, headers, signal);
    if (response.ok) return response;
    const location = response.headers.get("location");
    await response.body?.cancel();
    if (!REDIRECT_STATUSES.includes(response.status) || location === null) {
      throw describeStatus(subject, response, at.origin === home.origin);
    }
    const next = URL.canParse(location, at.href) ? new URL(location, at.href) : undefined;
    const isAllowed =
      next?.protocol === "https:" || (next?.protocol === "http:" && at.protocol === "http:");
    if (!isAllowed) {
      throw new RuntimeError(
        `${describeSubject(subject)}: redirected to an address that is not https: ${printable(location)}`,
        { hint: `Check HF_ENDPOINT (${connection.settings.endpoint}).` },
      );
    }
    at = next;
  }
  throw new RuntimeError(
    `${describeSubject(subject)}: more than ${MAX_REDIRECTS} redirects, the last to ${at.origin}`,
    { hint: `Check HF_ENDPOINT (${connection.settings.endpoint}).` },
  );
}

async function send(
  { settings, fetch: fetchUrl }: HubConnection,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  const isHome = url.origin === new URL(settings.endpoint).origin;
  try {
    return await fetchUrl(url.href, {
      headers: {
        "user-agent": `culprit/${VERSION}; node/${process.versions.node}`,
        // Offsets and sizes are those of the file, not of a compressed form of it.
        "accept-encoding": "identity",
        ...headers,
        ...(isHome && settings.token !== undefined
          ? { authorization: `Bearer ${settings.token}` }
          : {}),
      },
      redirect: "manual",
      signal,
    });
  } catch (error) {
    throw new TransientHubError(`${url.host}: ${networkReason(error)}`, { cause: error });
  }
}

async function* readChunks(response: Response, onChunk: () => void): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  for (;;) {
    const part = await readPart(reader);
    if (part === undefined) return;
    onChunk();
    yield part;
  }
}

async function readPart(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value;
  } catch (error) {
    throw new TransientHubError(`the connection was cut: ${networkReason(error)}`, {
      cause: error,
    });
  }
}

function describeStatus(subject: HubSubject, response: Response, isHome: boolean): Error {
  const { status, headers } = response;
  // A storage host refuses with 403 when the signed address has run out: asking the hub again gives a new one.
  const isStaleAddress = !isHome && (status === 401 || status === 403);
  if (!isStaleAddress && !TRANSIENT_STATUSES.includes(status)) {
    return describeRefusal(subject, status, headers);
  }
  return new TransientHubError(`${isHome ? "the hub" : "its storage"} answered HTTP ${status}`, {
    retryAfterMs: parseRetryAfter(headers.get("retry-after")),
  });
}

/** The header holds seconds or a date. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** fetch says only "fetch failed"; the reason is in the cause, or in the first of several causes. */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  const reason: unknown = inner ?? error;
  if (!(reason instanceof Error)) return error.message;
  const code = (reason as NodeJS.ErrnoException).code; // network errors carry one
  return reason.message === "" ? (code ?? error.message) : reason.message;
}
