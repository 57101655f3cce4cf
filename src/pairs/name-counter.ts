import type { NamedCount } from "./audit-report.ts";

/** Counts in how many pairs each name occurs; see createNameCounter. */
export interface NameCounter {
  /** The names of one pair; one that is there twice counts once. */
  add(names: readonly string[]): void;
  /** By number of pairs. */
  report(): readonly NamedCount[];
}

/** Counts names of what pairs say, hide or lack. */
export function createNameCounter(): NameCounter {
  const counts = new Map<string, number>();
  return {
    add(names) {
      for (const name of new Set(names)) counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    report: () =>
      [...counts].map(([name, pairs]) => ({ name, pairs })).toSorted((a, b) => b.pairs - a.pairs),
  };
}
