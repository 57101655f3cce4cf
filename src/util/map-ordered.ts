import { setMaxListeners } from "node:events";

/**
 * Maps items side by side and yields the results in the order of the items: at most `window` are begun and not yet yielded, so memory
 * does not grow with the source. How many run at once is for `map` to limit. Where one fails or the reader stops, `signal` is aborted
 * for the others, and they have ended before this does.
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
  try {
    for await (const item of source) {
      abort.signal.throwIfAborted();
      const result = map(item, abort.signal);
      result.catch(() => {}); // it is awaited in its turn
      begun.push(result);
      if (begun.length >= window) yield await begun.shift()!;
    }
    while (begun.length > 0) yield await begun.shift()!;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    abort.abort();
    await Promise.allSettled(begun);
  }
}
