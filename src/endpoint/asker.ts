import { setTimeout as sleep } from "node:timers/promises";

import { ConfigError, RuntimeError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import type { ChatAnswer, ChatEndpoint, ChatRequest } from "./chat-endpoint.ts";
import { EndpointFault, NO_MODEL } from "./endpoint-fault.ts";
import type { Purse } from "./money.ts";
import { createRequestGate, type RequestLimits } from "./request-gate.ts";
import { estimateTokens } from "./token-estimate.ts";

export interface RetrySettings {
  /** Requests for one item at most, all answers and faults counted. Default 6. */
  readonly attempts?: number;
  /** Wait before the second request; doubled each time, with a random share taken off. Default 500. */
  readonly firstDelayMs?: number;
  /** Longest wait of our own. Default 60,000. */
  readonly maxDelayMs?: number;
  /** Longest wait that an endpoint may ask for; where it is longer, the run ends for a rate limit, and else the item. Default 600,000. */
  readonly maxAskedDelayMs?: number;
}

/** What asking came to so far. */
export interface AskCounts {
  requests: number;
  answers: number;
  /** Requests without an answer, by cause. */
  readonly faults: Map<string, number>;
}

/** The requests that one item may still make. */
export interface AskAllowance {
  left: number;
}

/** Asks an endpoint with retries, limits and counts. */
export interface Asker {
  readonly endpoint: ChatEndpoint;
  readonly counts: AskCounts;
  allowance(): AskAllowance;
  /**
   * Asks until there is an answer or the allowance is used up. Throws EndpointFault for an item without an answer, ConfigError or
   * RuntimeError where no item will get one.
   */
  ask(request: ChatRequest, allowance: AskAllowance, options?: AskOptions): Promise<ChatAnswer>;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Pays for each request when it is sent; where it does not, the fault is "budget". */
  readonly purse?: Purse | undefined;
}

export const DEFAULT_ATTEMPTS = 6;
/** So many items without any answer ever: no item will get one. */
const PATIENCE = 20;
const MAX_SAID = 200;

/** Makes an asker; its random waits come from a fixed seed. */
export function createAsker(
  endpoint: ChatEndpoint,
  settings: RetrySettings & RequestLimits = {},
): Asker {
  const { attempts = DEFAULT_ATTEMPTS, firstDelayMs = 500, maxDelayMs = 60_000 } = settings;
  const { maxAskedDelayMs = 600_000 } = settings;
  const gate = createRequestGate(settings);
  const rng = createRng(0);
  const counts: AskCounts = { requests: 0, answers: 0, faults: new Map() };
  let givenUp = 0;
  /** Somebody has ever answered or refused: nobody there may then pass, as a server does that starts again. */
  let wasThere = false;
  /** What ends an item; where nothing was ever answered, after so many the run. */
  const giveUp = (fault: EndpointFault): Error => {
    givenUp++;
    if (fault.what === "budget" || counts.answers > 0 || givenUp < PATIENCE) return fault;
    return explain(endpoint, fault, givenUp);
  };

  const send = async (request: ChatRequest, { signal, purse }: AskOptions): Promise<ChatAnswer> => {
    if (purse?.reserve(request) === false) throw new EndpointFault("budget", "item");
    let answer: ChatAnswer | undefined;
    try {
      counts.requests++;
      answer = await endpoint.ask(request, signal);
      counts.answers++;
      wasThere = true;
      return answer;
    } catch (error) {
      if (error instanceof EndpointFault && error.concerns !== "unreachable") wasThere = true;
      throw error;
    } finally {
      purse?.settle(request, answer);
    }
  };

  return {
    endpoint,
    counts,
    allowance: () => ({ left: attempts }),
    async ask(request, allowance, options = {}) {
      const { signal } = options;
      const answersBefore = counts.answers;
      for (let failures = 1; ; failures++) {
        allowance.left--;
        try {
          return await gate.run(estimateTokens(request), () => send(request, options), signal);
        } catch (error) {
          if (!(error instanceof EndpointFault)) throw error;
          counts.faults.set(error.what, (counts.faults.get(error.what) ?? 0) + 1);
          const isAlone = counts.answers === answersBefore;
          if (error.concerns === "unreachable" && !wasThere) throw explain(endpoint, error);
          if (error.concerns === "all" && (counts.answers === 0 || isHopeless(error))) {
            throw explain(endpoint, error);
          }
          if (error.concerns === "all" || error.concerns === "item") throw giveUp(error);
          const backOffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1));
          // No sooner than we would by ourselves: dates are to the second, and 0 asks for nothing.
          const ownDelayMs = backOffMs * (0.5 + rng.uniform() / 2);
          const askedMs = error.retryAfterMs ?? 0;
          const delayMs = Math.max(askedMs, ownDelayMs);
          const isTooLong = askedMs > maxAskedDelayMs;
          if (isTooLong && error.status === 429) throw explain(endpoint, error);
          if (allowance.left <= 0 || isTooLong) {
            if (error.concerns === "unreachable" && isAlone) throw explain(endpoint, error);
            throw giveUp(error);
          }
          if (askedMs > 0) gate.pause(delayMs);
          await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
        }
      }
    },
  };
}

/** A key that was taken and no longer is, or an empty account, will not come back for the next item. */
const isHopeless = ({ status }: EndpointFault): boolean =>
  status === 401 || status === 402 || status === 429;

/** What ends the run. `items`: so many got no answer, and none did. */
function explain({ baseUrl, model }: ChatEndpoint, fault: EndpointFault, items?: number): Error {
  const cause = { cause: fault };
  const name = JSON.stringify(model.slice(0, 100));
  if (fault.status === 401 || fault.status === 403) {
    return new ConfigError(`${baseUrl}: expected a key that it accepts, got ${fault.what}`, {
      hint: "Name the environment variable that holds the key: --api-key-env, or apiKeyEnv in an experiment.",
      ...cause,
    });
  }
  if (fault.what.startsWith(NO_MODEL)) {
    return new ConfigError(
      `${baseUrl}: expected the model ${name} behind /chat/completions, got ${fault.what}`,
      { hint: `${baseUrl}/models lists the names; the address usually ends in /v1.`, ...cause },
    );
  }
  if (fault.concerns === "unreachable") {
    return new RuntimeError(`${baseUrl}: ${fault.what}`, {
      hint: "Start the server, or correct the address; what was answered is kept, and the same command goes on.",
      ...cause,
    });
  }
  const said = fault.detail.trim();
  if (items !== undefined && fault.concerns === "item") {
    return new ConfigError(
      `${baseUrl}: expected an answer, got none to ${items} items: ${fault.what}`,
      {
        hint: `Check model, temperature and length. ${said === "" ? "" : `The endpoint says: ${said.slice(0, MAX_SAID)}`}`.trim(),
        ...cause,
      },
    );
  }
  const never = items === undefined ? "" : `no answer to ${items} items, `;
  const wait =
    fault.retryAfterMs === undefined
      ? ""
      : `, and asks to wait ${Math.ceil(fault.retryAfterMs / 1000)} s`;
  return new RuntimeError(`${baseUrl}: ${never}${fault.what}${wait}`, {
    hint: "What was answered is kept: the same command goes on once the endpoint answers again.",
    ...cause,
  });
}
