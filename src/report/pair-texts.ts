/** @file The text of listed pairs, with what other pairs have the same prompt: one reading of the pair files. */
import { basename } from "node:path";

import type { Message } from "../format/messages.ts";
import { findUnjoined } from "../model/unread-keys.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import { promptKey } from "../pairs/prompt-key.ts";
import { isNearIdentical, repeatKey } from "./pair-marks.ts";
import type { PairDetail, PairFlag } from "./report-source.ts";

/** Longer turns are cut; in characters. */
const MAX_TURN = 20_000;
/** Of the pairs that share a prompt, so many are named. */
export const NAMED = 20;

/** A pair's text, and what its prompt is told by. */
export type PairText = Pick<
  PairDetail,
  | "id"
  | "file"
  | "fileRow"
  | "prompt"
  | "chosen"
  | "rejected"
  | "cut"
  | "beside"
  | "columns"
  | "samePrompt"
  | "repeats"
>;

/** Whether the text is all that was scored: nothing was cut, nor is there anything besides. */
export const isWhole = ({ cut, beside = [] }: PairText): boolean =>
  cut === 0 && beside.length === 0;

/** A pair's text with the marks that are read off it and the other pairs. */
export interface MarkedText {
  readonly text: PairText;
  readonly flags: readonly PairFlag[];
}

/** Reads the text of the pairs with these ids; those that the files lack are not in the map. Memory: these texts, and two hashes of every pair. */
export async function readPairTexts(
  pairs: Pick<PairSet, "read">,
  wanted: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, MarkedText>> {
  const found = new Map<
    string,
    { readonly pair: PreferencePair; readonly prompt: string; readonly repeats: string }
  >();
  const firsts = new Map<string, string>();
  const seconds = new Map<string, string>();
  const sharing = new Map<string, { count: number; ids: string[] }>();
  for await (const pair of pairs.read({ signal })) {
    if (pair.kind !== "pair") continue;
    const prompt = promptKey(pair.prompt, pair.context).slice(0, 16);
    const same = sharing.get(prompt) ?? { count: 0, ids: [] };
    sharing.set(prompt, same);
    same.count++;
    if (same.ids.length <= NAMED) same.ids.push(pair.id);
    const repeats = repeatKey(pair, prompt);
    if (!firsts.has(repeats)) firsts.set(repeats, pair.id);
    else if (!seconds.has(repeats)) seconds.set(repeats, pair.id);
    if (wanted.has(pair.id)) found.set(pair.id, { pair, prompt, repeats });
  }
  return new Map(
    [...found].map(([id, { pair, prompt, repeats }]) => {
      const same = sharing.get(prompt)!; // counted above
      const ids = same.ids.filter((each) => each !== id).slice(0, NAMED);
      const second = seconds.get(repeats);
      const isFirst = firsts.get(repeats) === id;
      const flags: PairFlag[] = [
        ...(same.count > 1 ? ["shared prompt" as const] : []),
        ...(second !== undefined ? ["repeated" as const] : []),
        ...(isNearIdentical(pair) ? ["near-identical" as const] : []),
      ];
      const text = describePair(pair, { count: same.count - 1, ids });
      const other = isFirst ? second : firsts.get(repeats);
      return [id, { text: { ...text, ...(second && { repeats: other }) }, flags }];
    }),
  );
}

/** A pair as the page shows it, long turns cut. */
export function describePair(pair: PreferencePair, samePrompt: PairDetail["samePrompt"]): PairText {
  let cut = 0;
  const shorten = (turns: readonly Message[]): readonly Message[] =>
    turns.map(({ role, content }) => {
      cut += Math.max(0, content.length - MAX_TURN);
      return { role, content: content.slice(0, MAX_TURN) };
    });
  const [prompt, chosen, rejected] = [pair.prompt, pair.chosen, pair.rejected].map(shorten);
  const { context = {} } = pair;
  const beside = findUnjoined({
    prompt: pair.prompt,
    responses: [pair.chosen, pair.rejected],
    context,
  });
  return {
    id: pair.id,
    file: basename(pair.file),
    fileRow: pair.fileRow,
    prompt: prompt!,
    chosen: chosen!,
    rejected: rejected!,
    cut,
    ...(beside.length === 0 ? {} : { beside }),
    columns: pair.columns,
    samePrompt,
  };
}
