import { wilsonShare } from "../stats/wilson.ts";
import { compareLengths } from "./audit-lengths.ts";
import type { GeneratorRow, LengthComparison, SourceRow } from "./audit-report.ts";
import { createNumberColumn } from "./number-column.ts";
import type { ColumnValue, PreferencePair } from "./preference-pair.ts";

/** A column with more values than this is no grouping; further ones are counted together. */
const MAX_GROUPS = 10_000;
const OTHER = "(other)";

/** Gathers the pairs of each source. */
export function createSourceTable(): {
  add(pair: PreferencePair, isNearIdentical: boolean): void;
  /** `lengths` of all pairs added, in the same order. */
  report(
    unit: LengthComparison["unit"],
    lengths: { readonly chosen: Float64Array; readonly rejected: Float64Array },
  ): SourceRow[];
} {
  const numbers = new Map<string | null, number>();
  const nearIdentical: number[] = [];
  const groups = createNumberColumn();
  return {
    add(pair, isNearIdentical) {
      const name = groupName(pair.columns["source"], numbers);
      const group = numbers.get(name) ?? numbers.size;
      numbers.set(name, group);
      nearIdentical[group] = (nearIdentical[group] ?? 0) + (isNearIdentical ? 1 : 0);
      groups.push(group);
    },
    report(unit, lengths) {
      const members = membersOf(groups.values(), numbers.size);
      const total = groups.values().length;
      return [...numbers]
        .map(([source, group]) => {
          const pick = (all: Float64Array): Float64Array =>
            Float64Array.from(members[group]!, (i) => all[i]!);
          return {
            source,
            pairs: members[group]!.length,
            share: members[group]!.length / total,
            lengths: compareLengths(unit, pick(lengths.chosen), pick(lengths.rejected)),
            nearIdentical: nearIdentical[group]!,
          };
        })
        .toSorted((a, b) => b.pairs - a.pairs);
    },
  };
}

/** Counts which model wrote which side, from the columns chosen_model and rejected_model. */
export function createGeneratorTable(): {
  add(pair: PreferencePair): void;
  report(): GeneratorRow[];
} {
  const counts = new Map<string, { chosen: number; rejected: number; both: number }>();
  const countOf = (name: string): { chosen: number; rejected: number; both: number } => {
    const known = counts.get(name) ?? { chosen: 0, rejected: 0, both: 0 };
    counts.set(name, known);
    return known;
  };
  return {
    add(pair) {
      const chosen = groupName(pair.columns["chosen_model"], counts);
      const rejected = groupName(pair.columns["rejected_model"], counts);
      if (chosen !== null) countOf(chosen).chosen++;
      if (rejected !== null) countOf(rejected).rejected++;
      if (chosen !== null && chosen === rejected) countOf(chosen).both++;
    },
    report() {
      const sides = [...counts.values()].reduce(
        (sum, each) => sum + each.chosen + each.rejected,
        0,
      );
      return [...counts]
        .map(([generator, { chosen, rejected, both }]) => ({
          generator,
          chosen,
          rejected,
          share: (chosen + rejected) / sides,
          wins: wilsonShare(chosen - both, chosen + rejected - 2 * both),
        }))
        .toSorted((a, b) => b.share - a.share);
    },
  };
}

function groupName(
  value: ColumnValue | undefined,
  known: ReadonlyMap<string | null, unknown>,
): string | null {
  const name = value === undefined || value === null ? null : String(value);
  return known.has(name) || known.size < MAX_GROUPS ? name : OTHER;
}

function membersOf(groups: Float64Array, count: number): number[][] {
  const members: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i < groups.length; i++) members[groups[i]!]!.push(i);
  return members;
}
