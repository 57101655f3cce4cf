/** @file The client of an OpenAI-compatible address, and one request by it. */
import type OpenAI from "openai";
import type { APIError } from "openai";

import { checkAddress, checkKey } from "./check-endpoint.ts";
import { EndpointFault, faultOf } from "./endpoint-fault.ts";
import type { ReportedTokens } from "./money.ts";
import { openaiPackage } from "./openai-package.ts";
import { refusalCode, refusalWords } from "./refusal-words.ts";

export interface EndpointSettings {
  /** Up to and with `/v1`, usually. */
  readonly baseUrl: string;
  readonly model: string;
  /** Default: none, as local servers want it. */
  readonly apiKey?: string | undefined;
  /** Of one request, answer included. Default 120,000. */
  readonly timeoutMs?: number | undefined;
}

export const DEFAULT_TIMEOUT_MS = 120_000;

/** A client, and how one request goes out by it. */
export interface EndpointClient {
  readonly client: OpenAI;
  readonly hasKey: boolean;
  /** Sends a request and reads what comes back. Throws EndpointFault, or the reason of `signal`. */
  readonly sendOnce: <T>(
    send: (signal: AbortSignal) => Promise<Response>,
    read: (response: Response) => Promise<T>,
    signal: AbortSignal | undefined,
  ) => Promise<T>;
}

/** Opens a client; sends nothing yet. Throws ConfigError where the address is none. */
export function openClient(settings: EndpointSettings): EndpointClient {
  const { baseUrl, timeoutMs = DEFAULT_TIMEOUT_MS } = settings;
  checkAddress(baseUrl);
  const apiKey = checkKey(settings.apiKey);
  const client = new (clientClass())({
    baseURL: baseUrl,
    // The package wants a key; without one no header is sent.
    apiKey: apiKey ?? "none",
    ...(apiKey === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    // Nothing of the environment may reach an address that it was not meant for.
    organization: null,
    project: null,
    maxRetries: 0, // ours are counted
    timeout: timeoutMs,
    logLevel: "off",
  });
  return {
    client,
    hasKey: apiKey !== undefined,
    async sendOnce(send, read, signal) {
      signal?.throwIfAborted();
      const abort = new AbortController();
      const onAbort = (): void => abort.abort();
      signal?.addEventListener("abort", onAbort, { once: true });
      // The package's own limit ends with the headers; a body can hang too.
      const timer = setTimeout(onAbort, timeoutMs);
      let billed: ReportedTokens | undefined;
      try {
        const response = await send(abort.signal);
        billed = {}; // it is being answered
        return await read(response);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof EndpointFault) throw faultOf(error, apiKey);
        if (abort.signal.aborted)
          throw new EndpointFault("timed out", "again", { cause: error, billed });
        if (billed !== undefined) {
          throw new EndpointFault("connection cut", "again", { cause: error, billed });
        }
        throw faultOf(error, apiKey);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      }
    },
  };
}

/** The package keeps the member `error` of a refusal alone; other servers say elsewhere why they refuse. */
function clientClass(): typeof OpenAI {
  return class Client extends openaiPackage().OpenAI {
    protected override makeStatusError(
      status: number,
      body: object | undefined,
      text: string | undefined,
      headers: Headers,
    ): APIError {
      const said = { message: refusalWords(body ?? text), code: refusalCode(body) };
      return super.makeStatusError(status, { error: said }, undefined, headers);
    }
  };
}
