import { z } from "zod";

import { clopperPearson } from "../stats/clopper-pearson.ts";
import { ratioInterval } from "../stats/ratio-interval.ts";

const liftRowSchema = z.strictObject({
  group: z.string(),
  inTop: z.int(),
  inAll: z.int(),
  shareOfTop: z.number(),
  shareOfAll: z.number(),
  /** shareOfTop / shareOfAll. */
  lift: z.number(),
  /** 95% interval of the lift. */
  low: z.number(),
  high: z.number(),
});

export const liftTableSchema = z.strictObject({
  k: z.int(),
  n: z.int(),
  /** By falling lower bound: what is over-represented for certain comes first. */
  rows: z.array(liftRowSchema).readonly(),
});

/** How often one group (a source, a generator) is among the first k of a ranking. */
export type LiftRow = z.output<typeof liftRowSchema>;
/** The groups of the first k of n ranked pairs. */
export type LiftTable = z.output<typeof liftTableSchema>;

/**
 * Counts groups among the first k of `order` (row numbers, best first; all ranked pairs), for each k. `groups` names the group of
 * each row. Every k is from 1 to the number of ranked pairs.
 *
 * The interval takes the top k and the rest as two independent samples (k fixed by design). With f = k / n the lift is
 * ρ / (f ρ + 1 - f), rising in the ratio ρ of the group's rates in the two, so Koopman's interval of ρ carries over; where
 * the ranking is unrelated to the group its width is that of the hypergeometric distribution. Intervals are for one group at a
 * time, not corrected for looking at many.
 */
export function liftTables(
  groups: readonly string[],
  order: ArrayLike<number>,
  ks: readonly number[],
): LiftTable[] {
  const n = order.length;
  const all = countGroups(groups, order, n);
  return ks.map((k) => {
    if (!(k >= 1 && k <= n)) throw new Error(`internal: top ${k} of ${n}`);
    const top = countGroups(groups, order, k);
    const rows = [...all].map(([group, inAll]) =>
      liftRow(group, top.get(group) ?? 0, inAll, { k, n }),
    );
    return { k, n, rows: rows.toSorted((a, b) => b.low - a.low || b.lift - a.lift) };
  });
}

function liftRow(
  group: string,
  inTop: number,
  inAll: number,
  { k, n }: { k: number; n: number },
): LiftRow {
  const f = k / n;
  const toLift = (ratio: number): number =>
    ratio === Infinity ? 1 / f : ratio / (f * ratio + 1 - f);
  // A top that is the whole ranking, or a group that is: the lift is 1 whatever the ranking.
  const isCertain = k === n || inAll === n;
  const interval = isCertain
    ? undefined
    : ratioInterval({ count: inTop, of: k }, { count: inAll - inTop, of: n - k });
  // A group of a few pairs is too small for the score interval: the exact one of its pairs' chance to be in the top widens it.
  const exact = clopperPearson(inTop, inAll);
  return {
    group,
    inTop,
    inAll,
    shareOfTop: inTop / k,
    shareOfAll: inAll / n,
    lift: inTop / k / (inAll / n),
    low: interval === undefined ? 1 : Math.min(toLift(interval.low), exact.low / f),
    high: interval === undefined ? 1 : Math.max(toLift(interval.high), exact.high / f),
  };
}

function countGroups(
  groups: readonly string[],
  order: ArrayLike<number>,
  end: number,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < end; i++) {
    const group = groups[order[i]!]!;
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return counts;
}
