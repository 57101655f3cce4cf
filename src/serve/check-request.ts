/**
 * @file Which requests are answered. The server is on the loopback, where every page that the user has open may send requests: what tells
 * them apart are Host (a name that was rebound to 127.0.0.1 is another), Origin, and what browsers say of the site that asks.
 */
import type { IncomingMessage } from "node:http";

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Names of this machine that reach the loopback and nothing else. Any port: a tunnel may have another one at its other end. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/i;

/** Undefined for a request that is answered. `methods` are those of its path. */
export function refuse(request: IncomingMessage, methods: readonly string[]): Refusal | undefined {
  const { host = "", origin, "sec-fetch-site": site, "sec-fetch-mode": mode } = request.headers;
  const { method = "", url = "" } = request;
  if (!LOOPBACK.test(host)) {
    return { status: 403, error: "expected a Host of the loopback, 127.0.0.1 or localhost" };
  }
  if (!methods.includes(method)) {
    return {
      status: 405,
      error: `expected ${methods.join(" or ")}`,
      headers: { allow: methods.join(", ") },
    };
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, error: "expected no Origin, or this server's own" };
  }
  // A link on another site may open the page, and nothing else.
  const isLink = mode === "navigate" && method === "GET" && !url.startsWith("/api/");
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isLink) {
    return { status: 403, error: "expected a request of this server's own page" };
  }
  // A form of another site can send text, but not this type without asking first.
  const { "content-type": type = "" } = request.headers;
  if (method === "POST" && !/^application\/json\s*(?:;|$)/i.test(type)) {
    return { status: 415, error: "expected a body of the type application/json" };
  }
  return undefined;
}
