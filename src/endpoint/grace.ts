import { setMaxListeners } from "node:events";

/**
 * Gives for a signal one that is aborted `milliseconds` later, with the same reason: what is under way may end by itself meanwhile. One
 * for each signal, however often it is asked for.
 */
export function createGrace(
  milliseconds: number,
): (signal: AbortSignal | undefined) => AbortSignal | undefined {
  const later = new WeakMap<AbortSignal, AbortSignal>();
  return (signal) => {
    if (signal === undefined) return undefined;
    const known = later.get(signal);
    if (known !== undefined) return known;
    const abort = new AbortController();
    setMaxListeners(0, abort.signal); // one for each request under way
    const onAbort = (): void => {
      // Requests under way keep the process alive, and nothing else has to.
      setTimeout(() => abort.abort(signal.reason), milliseconds).unref();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    later.set(signal, abort.signal);
    return abort.signal;
  };
}
