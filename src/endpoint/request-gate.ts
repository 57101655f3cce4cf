/** Lets requests through: so many at once, so many a minute, none while the endpoint asks to wait. */
export interface RequestGate {
  /** Runs `work` when it is its turn, in order of arrival; `tokens` is what it will take of the tokens a minute. */
  run<T>(tokens: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Begins nothing for so long. */
  pause(milliseconds: number): void;
}

export interface RequestLimits {
  /** Requests at once. Default 16. */
  readonly concurrency?: number | undefined;
  /** Default: no limit. */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens of prompts and answers. Default: no limit. */
  readonly tokensPerMinute?: number | undefined;
}

export const DEFAULT_CONCURRENCY = 16;

interface Waiting {
  readonly tokens: number;
  readonly begin: () => void;
  readonly end: (reason: Error) => void;
}

/** Makes a gate. The clock is performance.now unless a test gives another. */
export function createRequestGate(
  { concurrency = DEFAULT_CONCURRENCY, requestsPerMinute, tokensPerMinute }: RequestLimits = {},
  nowMs: () => number = () => performance.now(),
): RequestGate {
  const waiting: Waiting[] = [];
  let running = 0;
  let nextMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const costMs = (tokens: number): number =>
    Math.max(
      requestsPerMinute === undefined ? 0 : 60_000 / requestsPerMinute,
      tokensPerMinute === undefined ? 0 : (60_000 * tokens) / tokensPerMinute,
    );
  const pump = (): void => {
    if (timer !== undefined) return;
    while (running < concurrency && waiting.length > 0) {
      const now = nowMs();
      if (now < nextMs) {
        timer = setTimeout(
          () => {
            timer = undefined;
            pump();
          },
          Math.ceil(nextMs - now),
        );
        return;
      }
      const next = waiting.shift()!; // there is one, see above
      nextMs = Math.max(now, nextMs) + costMs(next.tokens);
      running++;
      turns.leave(next);
      next.begin();
    }
  };
  const turns = createTurns(waiting, () => {
    if (waiting.length > 0) return;
    clearTimeout(timer);
    timer = undefined;
  });
  const turn = (tokens: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const entry: Waiting = { tokens, begin: resolve, end: reject };
      turns.enter(entry, signal);
      pump();
    });
  return {
    async run(tokens, work, signal) {
      signal?.throwIfAborted();
      await turn(tokens, signal);
      try {
        return await work();
      } finally {
        running--;
        pump();
      }
    },
    pause(milliseconds) {
      nextMs = Math.max(nextMs, nowMs() + milliseconds);
    },
  };
}

/**
 * Who waits under which signal. One listener for each signal, not for each who waits: removing one of a thousand means looking
 * through all of them.
 */
function createTurns(
  waiting: Waiting[],
  onGone: () => void,
): {
  enter(entry: Waiting, signal: AbortSignal | undefined): void;
  leave(entry: Waiting): void;
} {
  const signalOf = new Map<Waiting, AbortSignal>();
  const groups = new Map<AbortSignal, { readonly members: Set<Waiting>; close(): void }>();
  const open = (signal: AbortSignal): Set<Waiting> => {
    const members = new Set<Waiting>();
    const onAbort = (): void => {
      groups.delete(signal);
      for (const entry of members) {
        signalOf.delete(entry);
        waiting.splice(waiting.indexOf(entry), 1);
        entry.end(signal.reason as Error); // as throwIfAborted gives it
      }
      onGone();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    groups.set(signal, { members, close: () => signal.removeEventListener("abort", onAbort) });
    return members;
  };
  return {
    enter(entry, signal) {
      waiting.push(entry);
      if (signal === undefined) return;
      signalOf.set(entry, signal);
      (groups.get(signal)?.members ?? open(signal)).add(entry);
    },
    leave(entry) {
      const signal = signalOf.get(entry);
      if (signal === undefined) return;
      signalOf.delete(entry);
      const group = groups.get(signal)!; // it has this entry
      group.members.delete(entry);
      if (group.members.size > 0) return;
      group.close();
      groups.delete(signal);
    },
  };
}
