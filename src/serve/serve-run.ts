/** @file The pages of a run on 127.0.0.1, over node:http: the built page, and the routes of the API. Nothing is read by a path of a request. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { z } from "zod";

import { foldersOf } from "../report/make-report.ts";
import { type PageFiles, readPageFiles } from "../report/page-files.ts";
import { createRedact, type Redact, thisMachine } from "../report/redact.ts";
import type { RunSnapshot, RunSource } from "../report/serve/run-source.ts";
import { ConfigError, CulpritError, RuntimeError } from "../util/errors.ts";
import { refuse } from "./check-request.ts";
import { openApi } from "./open-api.ts";
import { ROUTES } from "./routes.ts";

export interface ServeRunOptions {
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Told of faults that are answered with 500. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/** A server at work; disposing ends it. */
export interface ServedRun extends AsyncDisposable {
  /** http://127.0.0.1:PORT/ */
  readonly url: string;
}

const HOST = "127.0.0.1";
const READS = ["GET", "HEAD"] as const;

/** Header of the page's own questions: browsers log a 404 as a fault, and of a run at work much is not there yet. */
const ABSENT = "culprit-absent";

/** What every answer says of itself to browsers. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "x-frame-options": "DENY",
} as const;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Serves a run until it is disposed of. Throws RuntimeError where the port is taken. */
export async function serveRun(
  source: RunSource,
  { port = 0, onFault }: ServeRunOptions = {},
): Promise<ServedRun> {
  const pages = pageAnswers(await readPageFiles());
  const redactOf = createRedactOf();
  const respond = async (request: IncomingMessage): Promise<Answer> => {
    // Compared as it comes: nothing is decoded, and so nothing can mean another path.
    const [pathname = "", words = ""] = (request.url ?? "").split("?", 2);
    const page = pages.get(pathname);
    const route = ROUTES.find(({ path }) => path === pathname);
    const isWritten = route?.method === "POST";
    const refused = refuse(request, isWritten ? ["POST"] : READS);
    if (refused !== undefined) return fault(refused.status, refused.error, refused.headers);
    if (page !== undefined) return page;
    if (route === undefined) return fault(404, "no such page");
    const asked = isWritten
      ? await readBody(request)
      : Object.fromEntries(new URLSearchParams(words));
    const query = route.query.safeParse(asked);
    if (!query.success) return fault(400, describeIssue(query.error));
    const redact = await redactOf(source);
    const found = await route.run(source, query.data, redact);
    if (found === undefined) {
      return request.headers[ABSENT] === "null" ? json(200, null) : fault(404, route.absent);
    }
    // Undefined members are not sent, and not looked at.
    const sent = redact(JSON.parse(JSON.stringify(route.answer.parse(found))) as unknown);
    return json(200, sent);
  };
  const server = createServer((request, response) => {
    const answer = respond(request).catch(async (error: unknown) => {
      if (error instanceof CulpritError) {
        const redact = await redactOf(source).catch(() => createRedact(thisMachine([])));
        return fault(error instanceof ConfigError ? 400 : 500, redact(error.message));
      }
      onFault?.(error);
      return fault(500, "internal error; the terminal of the server has more");
    });
    void answer.then((found) => send(response, found, request.method === "HEAD"));
  });
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new RuntimeError(`port ${port}: cannot be listened on (${error.code ?? error.message})`, {
          hint: "Choose another --port, or leave it out for a free one.",
          cause: error,
        }),
      ),
    );
    server.listen(port, HOST, resolve);
  });
  const { port: own } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://${HOST}:${own}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The redaction of a run, made anew when the run's settings may be others. */
function createRedactOf(): (source: RunSource) => Promise<Redact> {
  let last: { readonly at: RunSnapshot | undefined; readonly redact: Redact } | undefined;
  return async (source) => {
    const at = await source.snapshot();
    if (last === undefined || last.at !== at) {
      last = {
        at,
        redact: createRedact(thisMachine(at === undefined ? [] : foldersOf(at.run, at.reading))),
      };
    }
    return last.redact;
  };
}

/** The built page; here it may ask this server. */
function pageAnswers({ html, css, script }: PageFiles): ReadonlyMap<string, Answer> {
  const [, policy = ""] =
    /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(html) ?? [];
  if (!policy.includes("default-src 'none'")) throw new Error("internal: the page has no policy");
  const served = policy.replace("default-src 'none'", "default-src 'none'; connect-src 'self'");
  const page = html
    .replace(policy, served)
    .replace("<head>", '<head>\n    <meta name="culprit-source" content="server" />');
  const headers = { "content-security-policy": `${served}; frame-ancestors 'none'` };
  const index: Answer = { status: 200, type: "text/html; charset=utf-8", body: page, headers };
  return new Map<string, Answer>([
    ["/", index],
    ["/index.html", index],
    ["/page.css", { status: 200, type: "text/css; charset=utf-8", body: css }],
    ["/page.js", { status: 200, type: "text/javascript; charset=utf-8", body: script }],
    ["/api/openapi.json", json(200, openApi())],
  ]);
}

/** Bytes of a request's body, at most. */
const MAX_BODY = 64 << 10;

/** The body of a request as JSON. Throws ConfigError for one that is too large or none. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY)
      throw new ConfigError(`body: expected at most ${MAX_BODY} bytes, got more`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    throw new ConfigError("body: expected JSON, got something else");
  }
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: "application/json; charset=utf-8",
  body: JSON.stringify(value),
});

const fault = (
  status: number,
  error: string,
  headers?: Readonly<Record<string, string>>,
): Answer => ({ ...json(status, { error }), headers });

function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue!.path.join(".") || "the question"}: ${issue!.message}`;
}

function send(
  response: ServerResponse,
  { status, type, body, headers }: Answer,
  isHead: boolean,
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...HEADERS,
    "content-type": type,
    "content-length": bytes.length,
    ...headers,
  });
  response.end(isHead ? undefined : bytes);
}
