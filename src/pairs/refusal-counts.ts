import type { NamedCount } from "./audit-report.ts";

/** Characters of a template's own words. */
const MAX_WORDS = 300;
/** A template may quote the row, so that no two refusals are alike. */
const MAX_KINDS = 100;
/** Of them, in the report. */
const MAX_SHOWN = 5;

/** Pairs that cannot be embedded with a checkpoint, and in which words it refuses them. */
export interface RefusalCounts {
  readonly unrenderable: number;
  /** The commonest first, at most 5. */
  readonly refusals: readonly NamedCount[];
}

/** Counts refusals by their words. */
export function createRefusalCounter(): { add(words: string): void; report(): RefusalCounts } {
  const kinds = new Map<string, number>();
  let unrenderable = 0;
  return {
    add(words) {
      unrenderable++;
      const name = words.slice(0, MAX_WORDS);
      const count = kinds.get(name);
      if (count !== undefined || kinds.size < MAX_KINDS) kinds.set(name, (count ?? 0) + 1);
    },
    report: () => ({
      unrenderable,
      refusals: [...kinds]
        .map(([name, pairs]) => ({ name, pairs }))
        .toSorted((a, b) => b.pairs - a.pairs)
        .slice(0, MAX_SHOWN),
    }),
  };
}
