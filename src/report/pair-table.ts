/** @file The table of pairs of a report from disk, by columns, as it travels in its file. Also used by the page to answer queries. */
import type { Message } from "../format/messages.ts";
import { compareMethods } from "./compare-methods.ts";
import type { RankedPairs } from "./ranked-pairs.ts";
import { type Histogram, PAIR_FLAGS, type PairFlag, type PairSummary } from "./report-source.ts";

/** Characters of a prompt that the table shows and searches. */
const PREVIEW = 120;
const BINS = 48;

/** The listed pairs in the order of the first ranking; L rows. Missing numbers are null. */
export interface PairTable {
  readonly summary: PairSummary;
  /** [L] */
  readonly ids: readonly string[];
  /** Positions in summary.sources; -1 for none. */
  readonly sources: readonly number[];
  readonly previews: readonly string[];
  readonly norms: readonly (number | null)[];
  /** Positions in PAIR_FLAGS, as bits. */
  readonly flags: readonly number[];
  /** Of each method, [L]. */
  readonly scores: readonly (readonly (number | null)[])[];
  readonly ranks: readonly (readonly (number | null)[])[];
  /** Names, and for each method positions in them; null for methods without. */
  readonly winnerNames: readonly string[];
  readonly winners: readonly (readonly number[] | null)[];
  readonly unshaded: Unshaded;
  /** Number of the file that holds a pair's text; -1 for none. */
  readonly chunks: readonly number[];
}

/** Why the tokens of a pair are not shaded, and how they can be. */
export interface Unshaded {
  /** So many of the first pairs were to be shaded. */
  readonly top: number;
  readonly within: string;
  readonly beyond: string;
}

/** What the table takes beside the rankings. */
export interface TableExtras {
  readonly planted: ReadonlySet<string> | undefined;
  readonly previews: ReadonlyMap<string, string>;
  /** Those that are read off the texts. */
  readonly textFlags: ReadonlyMap<string, readonly PairFlag[]>;
  readonly chunkOf: ReadonlyMap<string, number>;
  readonly selection: readonly string[];
  readonly unshaded: Unshaded;
}

/** Makes the table of the `listed` positions of the ranked pairs. */
export function makePairTable(
  ranked: RankedPairs,
  listed: Uint32Array,
  { planted, previews, textFlags, chunkOf, selection, unshaded }: TableExtras,
): PairTable {
  const places = [...listed];
  const sources = [...new Set(ranked.sources)].filter((each) => each !== undefined).toSorted();
  const sourceAt = new Map(sources.map((name, i) => [name, i]));
  const winnerNames = [
    ...new Set(ranked.winners.flatMap((column) => places.map((at) => column?.[at]))),
  ].filter((name) => name !== undefined);
  const winnerAt = new Map(winnerNames.map((name, i) => [name, i]));
  const ids = places.map((at) => ranked.ids[at]!);
  return {
    summary: {
      total: ranked.ids.length,
      listed: places.length,
      selection,
      methods: ranked.methods,
      sources,
      hasPlanted: planted !== undefined,
      agreements: compareMethods(ranked),
      histogram: histogram(ranked.scores[0]!),
    },
    ids,
    sources: places.map((at) => sourceAt.get(ranked.sources[at]!) ?? -1),
    previews: ids.map((id) => previews.get(id) ?? ""),
    norms: places.map((at) => rounded(ranked.norms[at]!)),
    flags: ids.map((id, i) => {
      const own: readonly PairFlag[] = [
        ...(ranked.isLowNorm[places[i]!] === 1 ? (["low norm"] as const) : []),
        ...(planted?.has(id) === true ? (["planted"] as const) : []),
        ...(chunkOf.has(id) ? [] : (["no text"] as const)),
        ...(textFlags.get(id) ?? []),
      ];
      return own.reduce((bits, flag) => bits | (1 << PAIR_FLAGS.indexOf(flag)), 0);
    }),
    scores: ranked.scores.map((column) => places.map((at) => rounded(column[at]!))),
    ranks: ranked.ranks.map((column) =>
      places.map((at) => (column[at] === 0 ? null : column[at]!)),
    ),
    winnerNames,
    winners: ranked.winners.map((column) =>
      column === undefined ? null : places.map((at) => winnerAt.get(column[at]!) ?? -1),
    ),
    unshaded,
    chunks: ids.map((id) => chunkOf.get(id) ?? -1),
  };
}

/** The beginning of the last turn of a prompt, on one line. */
export function previewOf(prompt: readonly Message[]): string {
  const text = prompt.at(-1)?.content ?? "";
  return text
    .slice(0, 4 * PREVIEW)
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, PREVIEW);
}

/** Scores are floats of single precision: seven digits are all that they have. */
export const rounded = (value: number): number | null =>
  Number.isNaN(value) ? null : Number(value.toPrecision(6));

/** The scores in bins of equal width; undefined where there are none. */
export function histogram(scores: Float32Array): Histogram | undefined {
  const known = scores.filter((score) => !Number.isNaN(score));
  if (known.length === 0) return undefined;
  let [low, high] = [known[0]!, known[0]!];
  for (const score of known) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const width = (high - low) / BINS || 1;
  const counts = Array<number>(BINS).fill(0);
  for (const score of known) counts[Math.min(BINS - 1, Math.floor((score - low) / width))]!++;
  return { edges: Array.from({ length: BINS + 1 }, (_, i) => low + i * width), counts };
}
