/**
 * @file An OpenAI-compatible endpoint on 127.0.0.1 for tests and benchmarks. It counts what it is asked and what it answers, and can be
 * told to fail in the ways that real ones do.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { createRng } from "../../src/util/rng.ts";

export const FAULT_KINDS = [
  "429-with-retry-after",
  "429-without",
  "500",
  "time-out",
  "cut",
  "malformed",
  "empty",
] as const;
/** By a date a client waits up to a second: only where a test asks for it. */
export type FaultKind = (typeof FAULT_KINDS)[number] | "429-with-date";

/** The parts of a request body that tests look at. */
export interface AskedBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly response_format?: { readonly type: string };
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly temperature?: number;
  readonly seed?: number;
  readonly top_p?: number;
  /** Of a request for an embedding. */
  readonly input?: string;
}

export interface FakeEndpointOptions {
  /** The answer's text to the last message. Default: a score of 90 where it has the word "yes", else 10. */
  readonly answer?: (body: AskedBody, request: number) => string;
  /** A whole response in place of the answer, for refusals. */
  readonly refuse?: (
    body: AskedBody,
    headers: IncomingMessage["headers"],
  ) =>
    | {
        readonly status: number;
        readonly message: string;
        /** The whole body, where it is not as OpenAI's. */
        readonly body?: unknown;
        readonly headers?: Record<string, string>;
      }
    | undefined;
  /** In place of the answer's message and its finish reason, for answers that are none. */
  readonly choice?: (body: AskedBody) => {
    readonly message: unknown;
    readonly finish_reason: string;
  };
  /** The vector of a text, where embeddings are asked for. */
  readonly embedding?: (text: string) => readonly number[];
  /** The whole body under status 200, a text as it is; undefined: an answer as else. */
  readonly body?: (body: AskedBody, request: number) => unknown;
  /** Of the list of models, which counts as no request. Default 200. */
  readonly modelsStatus?: number;
  /** Share of the requests that meet a fault, drawn from a fixed seed. */
  readonly faultShare?: number;
  readonly faults?: readonly FaultKind[];
  /** Before every answer. Default 0. */
  readonly latencyMs?: number;
  /** Default: counted as words. */
  readonly hasUsage?: boolean;
}

export interface FakeEndpoint extends AsyncDisposable {
  /** With /v1. */
  readonly url: string;
  readonly counts: {
    requests: number;
    /** Answers with a text, those that cost. */
    answers: number;
    readonly faults: Map<FaultKind, number>;
    /** Requests by their last message. */
    readonly byMessage: Map<string, number>;
    /** Bodies of the last few requests. */
    readonly bodies: AskedBody[];
    atOnce: number;
    mostAtOnce: number;
  };
}

const defaultAnswer = ({ messages }: AskedBody): string =>
  JSON.stringify({ reason: "r", score: messages.at(-1)!.content.includes("yes") ? 90 : 10 });

export async function startFakeEndpoint(options: FakeEndpointOptions = {}): Promise<FakeEndpoint> {
  const counts: FakeEndpoint["counts"] = {
    requests: 0,
    answers: 0,
    faults: new Map(),
    byMessage: new Map(),
    bodies: [],
    atOnce: 0,
    mostAtOnce: 0,
  };
  const rng = createRng(11);
  const drawFault = (): FaultKind | undefined => {
    const { faultShare = 0, faults = FAULT_KINDS } = options;
    return rng.uniform() < faultShare ? faults[rng.integer(faults.length)] : undefined;
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === "/v1/models") {
      const status = options.modelsStatus ?? 200;
      sendJson(response, status, status === 200 ? { object: "list", data: [] } : {});
      return;
    }
    const body = await readBody(request);
    const number = counts.requests++;
    const last = body.input ?? body.messages.at(-1)!.content;
    counts.byMessage.set(last, (counts.byMessage.get(last) ?? 0) + 1);
    counts.bodies.push(body);
    if (counts.bodies.length > 50) counts.bodies.shift();
    counts.mostAtOnce = Math.max(counts.mostAtOnce, ++counts.atOnce);
    try {
      const fault = drawFault();
      if (options.latencyMs !== undefined) await sleep(options.latencyMs);
      const refusal = options.refuse?.(body, request.headers);
      if (refusal !== undefined) {
        sendJson(
          response,
          refusal.status,
          refusal.body ?? { error: { message: refusal.message } },
          refusal.headers,
        );
        return;
      }
      if (fault !== undefined) {
        counts.faults.set(fault, (counts.faults.get(fault) ?? 0) + 1);
        misbehave(response, fault);
        return;
      }
      counts.answers++;
      const whole = options.body?.(body, number);
      if (whole !== undefined) {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(typeof whole === "string" ? whole : JSON.stringify(whole));
        return;
      }
      if (body.input !== undefined && options.embedding !== undefined) {
        const tokens = words(body.input);
        const usage = { prompt_tokens: tokens, total_tokens: tokens };
        const data = [{ object: "embedding", index: 0, embedding: options.embedding(body.input) }];
        sendJson(response, 200, {
          object: "list",
          data,
          ...(options.hasUsage === false ? {} : { usage }),
        });
        return;
      }
      if (options.choice !== undefined) {
        sendJson(response, 200, { choices: [options.choice(body)] });
        return;
      }
      const text = (options.answer ?? defaultAnswer)(body, number);
      sendJson(response, 200, completion(text, last, options.hasUsage ?? true));
    } finally {
      counts.atOnce--;
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    counts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readBody(request: IncomingMessage): Promise<AskedBody> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString("utf8")) as AskedBody;
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

const words = (text: string): number => text.split(/\s+/).length;

function completion(text: string, asked: string, hasUsage: boolean): unknown {
  return {
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    ...(hasUsage ? { usage: { prompt_tokens: words(asked), completion_tokens: words(text) } } : {}),
  };
}

function misbehave(response: ServerResponse, fault: FaultKind): void {
  switch (fault) {
    case "429-with-retry-after":
      sendJson(response, 429, { error: { message: "slow down" } }, { "retry-after": "0.02" });
      return;
    case "429-with-date": {
      const date = new Date(Date.now() + 1000).toUTCString();
      sendJson(response, 429, { error: { message: "slow down" } }, { "retry-after": date });
      return;
    }
    case "429-without":
      sendJson(response, 429, { error: { message: "slow down" } });
      return;
    case "500":
      sendJson(response, 500, { error: { message: "oh no" } });
      return;
    case "time-out":
      return; // never answers
    case "cut":
      response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
      response.write('{"choices": [{"message": {"content": "{\\"score\\": 1');
      setTimeout(() => response.destroy(), 5);
      return;
    case "malformed":
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"choices": [{"message": {"content": "{\\"score\\": 10}"');
      return;
    case "empty":
      sendJson(response, 200, completion("", "", false));
  }
}
