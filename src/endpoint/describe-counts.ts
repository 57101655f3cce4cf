import { printable } from "../util/text-table.ts";
import type { AskCounts } from "./asker.ts";

/** Of what an endpoint said, in a line. */
export const MAX_SAID = 300;

/** What asking came to, in words, one line each. */
export function describeCounts({
  requests,
  answers,
  faults,
  said,
  beyondBudget,
}: AskCounts): string[] {
  return [
    `${requests} requests, ${answers} answered`,
    ...[...faults].map(([what, count]) => {
      const words = said.get(what);
      return `${count} requests failed: ${what}${words === undefined ? "" : `; ${describeSaid(words)}`}`;
    }),
    ...(beyondBudget === 0 ? [] : [`${beyondBudget} not asked: budget`]),
  ];
}

/** What an endpoint said, once; it is anybody's text. */
export const describeSaid = (words: string): string =>
  `the endpoint says: ${printable(words, MAX_SAID)}`;
