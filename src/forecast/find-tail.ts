import type { NullComparison } from "../attribution/null-comparison.ts";

/** Null scores beyond it, on either side. */
const TAIL = 0.05;

/** The score that one null score in twenty exceeds, or at the bottom falls below. */
export function findTail({ tails }: NullComparison, side: "top" | "bottom"): number {
  const tail = tails.find((each) => each.side === side && each.expected === TAIL);
  if (tail === undefined) throw new Error(`internal: no null tail of ${TAIL}`);
  return tail.threshold;
}
