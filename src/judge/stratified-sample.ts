import type { Rng } from "../util/rng.ts";

/** Something to draw from, and the group it belongs to. */
export interface Stratified {
  readonly id: string;
  readonly stratum: string;
}

/**
 * Draws `size` ids so that each stratum has its share of the sample, to within one: every item has the same chance, which is what
 * corrected rates assume, and rare strata are neither left out nor favoured. Systematic: strata in random order, each shuffled, and
 * every n-th item from a random start. The ids come shuffled, so that the order tells nothing of the stratum; all of them where
 * there are no more than `size`.
 */
export function stratifiedSample(
  items: readonly Stratified[],
  size: number,
  rng: Rng,
): readonly string[] {
  const strata = new Map<string, string[]>();
  for (const { id, stratum } of items) {
    const ids = strata.get(stratum);
    if (ids === undefined) strata.set(stratum, [id]);
    else ids.push(id);
  }
  const line = rng.shuffle([...strata.values()]).flatMap((ids) => rng.shuffle(ids));
  if (line.length <= size) return rng.shuffle(line);
  const step = line.length / size;
  const start = rng.uniform() * step;
  return rng.shuffle(
    Array.from(
      { length: size },
      (_, i) => line[Math.min(line.length - 1, Math.floor(start + i * step))]!,
    ),
  );
}
