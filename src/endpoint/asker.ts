import { setTimeout as sleep } from "node:timers/promises";

import { createRng } from "../util/rng.ts";
import type { ChatAnswer, ChatEndpoint, ChatRequest } from "./chat-endpoint.ts";
import { describeSaid } from "./describe-counts.ts";
import { EndpointFault } from "./endpoint-fault.ts";
import { explainFault } from "./explain-fault.ts";
import { createGrace } from "./grace.ts";
import { brokenCounts, type Purse, type TokenCount, withCounts } from "./money.ts";
import { createRequestGate, type RequestLimits } from "./request-gate.ts";
import { estimateTokens } from "./token-estimate.ts";

export interface RetrySettings {
  /** Requests for one item at most, all answers and faults counted. Default 6. */
  readonly attempts?: number | undefined;
  /** Wait before the second request; doubled each time, with a random share taken off. Default 500. */
  readonly firstDelayMs?: number | undefined;
  /** Longest wait of our own. Default 60,000. */
  readonly maxDelayMs?: number | undefined;
  /** Longest wait that an endpoint may ask for; where it is longer, the run ends for a rate limit, and else the item. Default 600,000. */
  readonly maxAskedDelayMs?: number | undefined;
  /** How long answers under way are waited for after an abort, so that what is paid for is kept. Default 10,000. */
  readonly graceMs?: number | undefined;
}

/** What asking came to so far. */
export interface AskCounts {
  requests: number;
  answers: number;
  /** Requests without an answer, by cause. */
  readonly faults: Map<string, number>;
  /** By cause, what the endpoint said the first time; those without a word are not in it. */
  readonly said: Map<string, string>;
  /** Requests that the purse did not pay for: never sent. */
  beyondBudget: number;
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
  /** Told of each answer that came and cannot be used, before the request counts as ended. */
  readonly onBroken?: ((taken: TokenCount) => Promise<void>) | undefined;
}

export const DEFAULT_ATTEMPTS = 6;
/** The fault of a request that was not paid for. */
export const BEYOND_BUDGET = "budget";
/** How long answers under way are waited for once everything is to end: they are paid for. */
const GRACE_MS = 10_000;
/** So many items without any answer ever: no item will get one. */
const PATIENCE = 20;

export interface AskerSettings extends RetrySettings, RequestLimits {
  /** Told of each cause of a fault when it is first met, in the endpoint's own words; nothing of those without any. Default: nobody. */
  readonly note?: ((line: string) => void) | undefined;
}

/** Makes an asker; its random waits come from a fixed seed. */
export function createAsker(endpoint: ChatEndpoint, settings: AskerSettings = {}): Asker {
  const { attempts = DEFAULT_ATTEMPTS, firstDelayMs = 500, maxDelayMs = 60_000 } = settings;
  const { maxAskedDelayMs = 600_000, graceMs = GRACE_MS } = settings;
  const gate = createRequestGate(settings);
  const rng = createRng(0);
  const counts: AskCounts = {
    requests: 0,
    answers: 0,
    faults: new Map(),
    said: new Map(),
    beyondBudget: 0,
  };
  const count = ({ what, status, detail }: EndpointFault): void => {
    counts.faults.set(what, (counts.faults.get(what) ?? 0) + 1);
    if (status === undefined || detail === "" || counts.said.has(what)) return;
    counts.said.set(what, detail);
    settings.note?.(`${endpoint.baseUrl}: ${what}; ${describeSaid(detail)}`);
  };
  const grace = createGrace(graceMs);
  const fail = (fault: EndpointFault, { schema }: ChatRequest, items?: number): Error =>
    explainFault(endpoint, fault, { items, hasSchema: schema !== undefined });
  let givenUp = 0;
  /** Somebody has ever answered or refused: nobody there may then pass, as a server does that starts again. */
  let wasThere = false;
  /** What ends an item; where nothing was ever answered, after so many the run. */
  const giveUp = (fault: EndpointFault, request: ChatRequest): Error => {
    givenUp++;
    if (counts.answers > 0 || givenUp < PATIENCE) return fault;
    return fail(fault, request, givenUp);
  };

  const send = async (
    request: ChatRequest,
    { signal, purse, onBroken }: AskOptions,
  ): Promise<ChatAnswer> => {
    const reserve = await purse?.reserve(request);
    if (purse !== undefined && reserve === undefined) {
      throw new EndpointFault(BEYOND_BUDGET, "item");
    }
    let taken: TokenCount | undefined;
    try {
      signal?.throwIfAborted();
      counts.requests++;
      const answer = await endpoint.ask(request, grace(signal));
      counts.answers++;
      wasThere = true;
      taken = withCounts(request, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof EndpointFault)) throw error;
      if (error.concerns !== "unreachable") wasThere = true;
      if (error.billed !== undefined) {
        taken = brokenCounts(request, error.billed);
        await onBroken?.(taken);
      }
      throw error;
    } finally {
      reserve?.settle(taken);
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
          if (error.what === BEYOND_BUDGET) {
            counts.beyondBudget++;
            throw error;
          }
          count(error);
          if (error.concerns === "form") {
            allowance.left++;
            continue;
          }
          const isAlone = counts.answers === answersBefore;
          if (error.concerns === "unreachable" && !wasThere) throw fail(error, request);
          if (error.concerns === "all" && (counts.answers === 0 || isHopeless(error))) {
            throw fail(error, request);
          }
          if (error.concerns === "all" || error.concerns === "item") throw giveUp(error, request);
          const backOffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1));
          // No sooner than we would by ourselves: dates are to the second, and 0 asks for nothing.
          const ownDelayMs = backOffMs * (0.5 + rng.uniform() / 2);
          const askedMs = error.retryAfterMs ?? 0;
          const delayMs = Math.max(askedMs, ownDelayMs);
          const isTooLong = askedMs > maxAskedDelayMs;
          if (isTooLong && error.status === 429) throw fail(error, request);
          if (allowance.left <= 0 || isTooLong) {
            if (error.concerns === "unreachable" && isAlone) throw fail(error, request);
            throw giveUp(error, request);
          }
          if (askedMs > 0) gate.pause(delayMs);
          await sleep(delayMs, undefined, { signal });
        }
      }
    },
  };
}

/** A key that was taken and no longer is, or an empty account, will not come back for the next item. */
const isHopeless = ({ status }: EndpointFault): boolean =>
  status === 401 || status === 402 || status === 429;
