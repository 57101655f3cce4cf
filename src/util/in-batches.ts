/** One batch at a time: what comes while one is at work makes the next. After a failure all fail. */
export function inBatches<T, R>(
  work: (items: readonly T[]) => Promise<readonly R[]>,
): (item: T) => Promise<R> {
  let waiting: T[] = [];
  let next: Promise<readonly R[]> | undefined;
  let current: Promise<unknown> = Promise.resolve();
  const run = (): Promise<readonly R[]> => {
    const items = waiting;
    waiting = [];
    next = undefined;
    return work(items);
  };
  return async (item) => {
    const index = waiting.push(item) - 1;
    if (next === undefined) current = next = current.then(run);
    return (await next)[index]!; // one for each item
  };
}
