/** Lets requests through: so many at once, so many a minute, none while the endpoint asks to wait. */
export interface RequestGate {
  /** Runs `work` when it is its turn, in order of arrival; `tokens` is what it will take of the tokens a minute. */
  run<T>(tokens: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Begins nothing for so long. */
  pause(milliseconds: number): void;
}

export interface RequestLimits {
  /** Requests at once. Default 16. */
  readonly concurrency?: number;
  /** Default: no limit. */
  readonly requestsPerMinute?: number;
  /** Tokens of prompts and answers. Default: no limit. */
  readonly tokensPerMinute?: number;
}

export const DEFAULT_CONCURRENCY = 16;

interface Waiting {
  readonly tokens: number;
  readonly begin: () => void;
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
      next.begin();
    }
  };
  const turn = (tokens: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const entry: Waiting = {
        tokens,
        begin: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        const at = waiting.indexOf(entry);
        if (at < 0) return;
        waiting.splice(at, 1);
        if (waiting.length === 0) {
          clearTimeout(timer);
          timer = undefined;
        }
        reject(signal?.reason as Error); // an abort's reason, as throwIfAborted gives it
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      waiting.push(entry);
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
