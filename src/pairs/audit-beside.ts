import { labelKeys, spokenKeys } from "../model/unread-keys.ts";
import type { BesideReport, TokenReport } from "./audit-report.ts";
import type { TokenCounts } from "./audit-truncation.ts";
import { createHiddenCounter } from "./hidden-counts.ts";
import { createNameCounter } from "./name-counter.ts";
import type { PreferencePair } from "./preference-pair.ts";

/** Counts what rows say beside roles and texts, and what labels their turns carry. */
export function createBesideCounter(columnsNotRead: readonly string[]): {
  add(pair: PreferencePair): void;
  report(): BesideReport;
} {
  const said = createNameCounter();
  const labels = createNameCounter();
  return {
    add({ prompt, chosen, rejected, context = {} }) {
      said.add([...(context.unread ?? []), ...spokenKeys(prompt, [chosen, rejected], context)]);
      labels.add(labelKeys([...prompt, ...chosen, ...rejected]));
    },
    report: () => ({ said: said.report(), labels: labels.report(), columnsNotRead }),
  };
}

/** Counts how pairs become a checkpoint's tokens. */
export function createTokenCounter(findUnread: (pair: PreferencePair) => readonly string[]): {
  /** `counts` undefined for a pair that cannot be tokenised. Whether it is for what is not read. */
  add(pair: PreferencePair, counts: TokenCounts | undefined): boolean;
  report(): TokenReport;
} {
  const unread = createNameCounter();
  const hidden = createHiddenCounter();
  const totals = { pairs: 0, unreadPairs: 0, merged: 0, lostPromptTokens: 0, marked: 0 };
  return {
    add(pair, counts) {
      const names = findUnread(pair);
      unread.add(names);
      if (names.length > 0) totals.unreadPairs++;
      if (counts === undefined) return names.length > 0;
      const { lostPromptTokens = 0, holdsMarks = false } = counts;
      totals.pairs++;
      totals.merged += lostPromptTokens > 0 ? 1 : 0;
      totals.lostPromptTokens += lostPromptTokens;
      totals.marked += holdsMarks ? 1 : 0;
      hidden.add(counts.hidden);
      return false;
    },
    report: () => ({ ...totals, unread: unread.report(), hidden: hidden.report() }),
  };
}
