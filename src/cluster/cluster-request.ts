/** @file One HTTP request to Ray's dashboard. Not by fetch: its `sec-fetch-mode` header makes Ray answer 405 to every PUT, POST and DELETE. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

import { ConfigError, RuntimeError } from "../util/errors.ts";

const TIMEOUT_MS = 30_000;
/** A log is asked for whole; more than this of one is of no use. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20;

export interface ClusterAnswer {
  readonly status: number;
  readonly text: string;
}

export interface ClusterRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  /** JSON, or bytes as they are. */
  readonly body?: object | Uint8Array | undefined;
  readonly token: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The cluster cannot be reached now; it may be again, after a restart of its head. */
export class UnreachableError extends RuntimeError {}

/**
 * Asks, and gives back answers of any status but 401 and 403. Throws ConfigError where the token is missing or wrong, UnreachableError
 * where nothing answers.
 */
export async function askCluster(url: URL, request: ClusterRequest): Promise<ClusterAnswer> {
  const answer = await send(url, request);
  if (answer.status === 401 || answer.status === 403) throw refused(url, request.token);
  return answer;
}

function send(
  url: URL,
  { method, path, body, token, signal }: ClusterRequest,
): Promise<ClusterAnswer> {
  const isBytes = body instanceof Uint8Array;
  const payload = body === undefined || isBytes ? body : Buffer.from(JSON.stringify(body));
  const open = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = open(new URL(path, url), {
      method,
      signal,
      timeout: TIMEOUT_MS,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined
          ? {}
          : {
              "content-type": isBytes ? "application/octet-stream" : "application/json",
              "content-length": payload.byteLength,
            }),
      },
    });
    request.on("timeout", () => request.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error) =>
      reject(signal?.aborted === true ? error : unreachable(url, error)),
    );
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("error", (error) => reject(unreachable(url, error)));
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    request.end(payload);
  });
}

function unreachable(url: URL, error: Error): UnreachableError {
  const { code } = error as NodeJS.ErrnoException;
  return new UnreachableError(`${url.origin}: no cluster answers (${code ?? error.message})`, {
    hint: "Check the address of Ray's dashboard and that the head runs; culprit cluster up starts one on this machine.",
    cause: error,
  });
}

function refused(url: URL, token: string | undefined): ConfigError {
  return token === undefined
    ? new ConfigError(`${url.origin}: expected a token, got none`, {
        hint: "Set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file that holds the cluster's token.",
      })
    : new ConfigError(`${url.origin}: the token is not this cluster's`, {
        hint: "Check RAY_AUTH_TOKEN (or the file of RAY_AUTH_TOKEN_PATH) against the one that the head was started with.",
      });
}
