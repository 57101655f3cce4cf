import type { AskCounts } from "./asker.ts";

/** What asking came to, in words, one line each. */
export function describeCounts({ requests, answers, faults, beyondBudget }: AskCounts): string[] {
  return [
    `${requests} requests, ${answers} answered`,
    ...[...faults].map(([what, count]) => `${count} requests failed: ${what}`),
    ...(beyondBudget === 0 ? [] : [`${beyondBudget} not asked: budget`]),
  ];
}
