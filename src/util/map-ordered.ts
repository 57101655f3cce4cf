import { setMaxListeners } from "node:events";

/**
 * Maps items side by side and yields the results in the order of the items: at most `window` are begun and not yet yielded, so memory
 * does not grow with the source. How many run at once is for `map` to limit. Where one fails or the reader stops, `signal` is aborted
 * for the others at once, and they have ended before this does; the first failure is the one that is thrown.
 */
export async function* mapOrdered<T, U>(
  source: Iterable<T> | AsyncIterable<T>,
  { window, signal }: { readonly window: number; readonly signal?: AbortSignal | undefined },
  map: (item: T, signal: AbortSignal) => Promise<U>,
): AsyncGenerator<U, void, undefined> {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal); // one for each item under way
  const onAbort = (): void => abort.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const begun: Promise<U>[] = [];
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => {
    failures.push(error);
    abort.abort(error);
  };
  try {
    for await (const item of source) {
      abort.signal.throwIfAborted();
      const result = map(item, abort.signal);
      result.catch(onFailure);
      begun.push(result);
      if (begun.length >= window) yield await begun.shift()!;
    }
    while (begun.length > 0) yield await begun.shift()!;
  } catch (error) {
    // The others failed for want of it.
    throw failures.length > 0 ? failures[0] : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    abort.abort();
    await Promise.allSettled(begun);
  }
}
