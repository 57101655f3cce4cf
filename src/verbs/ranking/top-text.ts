/** @file The text of the pairs at the top of rankings, where it is at hand. */
import { findPairs } from "../../pairs/find-pairs.ts";
import type { PairSet } from "../../pairs/open-pairs.ts";
import { excerptPair, type PairText } from "../../pairs/pair-text.ts";
import type { RankingReport } from "../../ranking/ranking-report.ts";
import type { VectorStore } from "../../store/open-store.ts";
import { reopenPairs } from "../../store/reopen-pairs.ts";
import type { Work } from "../verb.ts";

/** Shown of each text, in characters: enough to recognise it, and no more of what may be harmful. */
const CHARACTERS = 80;
/** Files that nobody named are read again up to this size, a few seconds' work. */
const MAX_BYTES = 256e6;

/** Excerpts by id; undefined where the text is not at hand, which is said. */
export async function readTopText(
  reports: readonly RankingReport[],
  {
    store,
    pairs,
  }: { readonly store: VectorStore | undefined; readonly pairs: PairSet | undefined },
  { signal, note, progress }: Pick<Work, "signal" | "note" | "progress">,
): Promise<ReadonlyMap<string, PairText> | undefined> {
  const ids = new Set(reports.flatMap(({ top }) => top.map(({ id }) => id)));
  if (ids.size === 0) return undefined;
  const found =
    pairs === undefined
      ? store && (await reopenPairs(store, { signal, maxBytes: MAX_BYTES }))
      : ({ kind: "pairs", pairs } as const);
  if (found === undefined) return undefined;
  if (found.kind === "absent") {
    note(
      `no text of the top pairs: of the store's pair files, ${found.reason}; --pairs names them`,
    );
    return undefined;
  }
  const read = await findPairs(found.pairs, ids, { signal, progress: progress("pairs") });
  return new Map([...read].map(([id, pair]) => [id, excerptPair(pair, CHARACTERS)]));
}
