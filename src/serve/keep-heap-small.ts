import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What the heap may grow by before its garbage is collected. */
const MOST_GROWTH = 12 << 20;
/** How often it is looked at: reading pairs makes some 100 MiB of short-lived objects a second. */
const EVERY_MS = 100;

/**
 * Keeps the heap of this process small, until disposed of: for one that serves a run for hours, and whose pairs, read once, would leave
 * V8 with twice the memory that it ever needs. V8 by itself collects late, and the later the busier the machine is.
 */
export function keepHeapSmall(): Disposable {
  // Read whenever the space of new objects would grow, so that it may be set in a process at work.
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // there by the flag
  const size = (): number => getHeapStatistics().total_heap_size;
  let least = size();
  const timer = setInterval(() => {
    if (size() < least + MOST_GROWTH) return;
    collect();
    least = size();
  }, EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
