import { setTimeout as sleep } from "node:timers/promises";

import { FormatError } from "../util/errors.ts";
import { requestOnce, type HubConnection } from "./hub-connection.ts";
import {
  describeSubject,
  HubUnreachableError,
  printable,
  TransientHubError,
  type HubSubject,
} from "./hub-errors.ts";

/** A page of the listing has some 100 KB; this bounds what a broken server can make us hold. */
const MAX_JSON_BYTES = 64 * 2 ** 20;
/** Longer waits are for the user to decide. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Runs `attempt` until it succeeds, waiting longer each time; HubUnreachableError after `tries` transient failures. */
export async function withRetries<T>(
  connection: HubConnection,
  subject: HubSubject,
  attempt: () => Promise<T>,
  tries: number = connection.retry.tries,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientHubError)) throw error;
      const delayMs = error.retryAfterMs ?? connection.retry.firstDelayMs * 2 ** (failures - 1);
      if (failures >= tries || delayMs > MAX_RETRY_AFTER_MS) {
        throw describeGivingUp(subject, error, failures, delayMs);
      }
      await sleep(delayMs, undefined, { signal: connection.signal }).catch((failed: unknown) => {
        connection.signal?.throwIfAborted(); // with its reason, which sleep leaves out
        throw failed;
      });
    }
  }
}

/** GETs JSON text with retries; throws FormatError where the answer is something else (a login page, say). */
export async function requestJson(
  connection: HubConnection,
  subject: HubSubject,
  url: string,
  tries: number,
): Promise<{ text: string; headers: Headers }> {
  const attempt = (): Promise<{ text: string; headers: Headers }> =>
    requestOnce(connection, subject, url, { accept: "application/json" }, async (answer) => {
      const parts: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const chunk of answer.chunks()) {
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_JSON_BYTES) throw notJson(subject, url, "more than 64 MiB");
        parts.push(chunk);
      }
      return { text: Buffer.concat(parts).toString("utf8"), headers: answer.headers };
    });
  const answer = await withRetries(connection, subject, attempt, tries);
  try {
    JSON.parse(answer.text);
  } catch (error) {
    const kind = answer.headers.get("content-type") ?? "something else";
    throw notJson(subject, url, printable(kind), error);
  }
  return answer;
}

function describeGivingUp(
  subject: HubSubject,
  last: TransientHubError,
  tries: number,
  delayMs: number,
): HubUnreachableError {
  const waits =
    delayMs > MAX_RETRY_AFTER_MS ? `, which asks to wait ${Math.ceil(delayMs / 1000)} s` : "";
  return new HubUnreachableError(
    `${describeSubject(subject)}: ${last.message}${waits} (${tries} ${tries === 1 ? "try" : "tries"})`,
    {
      hint: `Check the network and ${subject.endpoint}, then run the same command again: it goes on where this one stopped.`,
      cause: last,
    },
  );
}

function notJson(subject: HubSubject, url: string, got: string, cause?: unknown): FormatError {
  return new FormatError(
    `${describeSubject(subject)}: expected JSON from ${new URL(url).origin}, got ${got}`,
    {
      hint: `Check that HF_ENDPOINT (${subject.endpoint}) is a hub and that no login page stands in between.`,
      cause,
    },
  );
}
