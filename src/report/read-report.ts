import type { Forecast } from "../forecast/forecast-file.ts";
import { describeLeftOut } from "./left-out.ts";
import { describeListing, listPairs, textOrder, TOP_TEXTS } from "./list-pairs.ts";
import { openRunPairs, type PairReading } from "./pair-reading.ts";
import { makePairTable, type PairTable, previewOf, type Unshaded } from "./pair-table.ts";
import { isWhole, type MarkedText, type PairText, readPairTexts } from "./pair-texts.ts";
import { type PartName, PARTS, type PartValues } from "./parts/index.ts";
import { type RankedPairs, readRankedPairs } from "./ranked-pairs.ts";
import { readRankings, type RunRanking } from "./read-rankings.ts";
import type { PairDetail, TokenShares } from "./report-source.ts";
import { openRunFolder, type RunFolder } from "./run-folder.ts";
import { shellWords, shownPath } from "./shown-command.ts";
import {
  findTokenShares,
  type FoundShares,
  summedRanking,
  type TokenSharesOptions,
} from "./token-shares.ts";
/** @file Everything of a report as plain data: its parts, the table of pairs, and the pairs with their evidence. */
import { findNeighbors } from "./vector-neighbors.ts";

/** Of a report from disk: bytes that the text of pairs may take, the shares of their tokens in it, and about how many a file has. */
const TEXT_BYTES = 6_000_000;
const TOKEN_BYTES = 2_500_000;
const CHUNK_BYTES = 150_000;

/** What a report holds. */
export interface ReportData {
  readonly parts: { readonly [N in PartName]: PartValues[N] | undefined };
  /** Undefined where nothing was ranked. */
  readonly pairs: PairTable | undefined;
  /** The pairs with their text, in files. */
  readonly chunks: readonly (readonly PairDetail[])[];
  /** Why no pair has the shares of its tokens; undefined where some have, or none were wanted. */
  readonly tokensAbsent: string | undefined;
}

export interface ReadReportOptions {
  readonly run: RunFolder;
  readonly pairs: PairReading;
  /** Computes what the tokens of so many pairs of the top add to the score; absent: of none. */
  readonly tokens?: (TokenSharesOptions & { readonly count: number }) | undefined;
  /** See PartWork. */
  readonly forecast?: Forecast | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a run, finished or not; of the path of its folder alone, with its pairs from where the experiment file has them, and no tokens.
 * Throws ConfigError where the folder holds no run, FormatError naming the artefact that is damaged.
 */
export async function readReport(given: ReadReportOptions | string): Promise<ReportData> {
  const options = typeof given === "string" ? await openWhole(given) : given;
  const { run, pairs, forecast, signal } = options;
  const parts: Record<string, unknown> = {};
  for (const part of PARTS) {
    signal?.throwIfAborted();
    parts[part.name] = await part.read({ run, pairs, forecast, signal });
  }
  return { parts: parts as ReportData["parts"], ...(await readPairs(options)) };
}

async function openWhole(path: string): Promise<ReadReportOptions> {
  const run = await openRunFolder(path);
  return { run, pairs: await openRunPairs(run, {}) };
}

async function readPairs({
  run,
  pairs,
  tokens,
  signal,
}: ReadReportOptions): Promise<Pick<ReportData, "pairs" | "chunks" | "tokensAbsent">> {
  const rankings = await readRankings(run);
  const ranked = await readRankedPairs(rankings, signal);
  if (ranked === undefined) return { pairs: undefined, chunks: [], tokensAbsent: undefined };
  const listed = listPairs(ranked);
  const wanted = new Set(Array.from(listed, (at) => ranked.ids[at]!));
  const texts: ReadonlyMap<string, MarkedText> =
    pairs.pairs === undefined ? new Map() : await readPairTexts(pairs.pairs, wanted, signal);
  const layer = rankings.find(({ ranking }) => ranking.layer !== undefined)?.ranking.layer;
  const near = await findNeighbors(run, layer, ranked.ids.slice(0, TOP_TEXTS));
  const inOrder = Array.from(textOrder(listed), (at) => texts.get(ranked.ids[at]!)?.text).filter(
    (text) => text !== undefined,
  );
  const shares =
    tokens === undefined || tokens.count === 0
      ? new Map<string, TokenShares>()
      : await readTokens({ run, rankings, ranked, texts: inOrder, tokens });
  const isFound = typeof shares !== "string";
  const details = withTokens(
    inOrder.map((text) => ({ ...text, ...near.get(text.id) })),
    isFound ? shares : new Map(),
  );
  const chunks = fillChunks(details);
  const chunkOf = new Map(chunks.flatMap((chunk, i) => chunk.map(({ id }) => [id, i] as const)));
  const table = makePairTable(ranked, listed, {
    planted: pairs.planted,
    previews: new Map([...texts].map(([id, { text }]) => [id, previewOf(text.prompt)])),
    textFlags: new Map([...texts].map(([id, { flags }]) => [id, flags])),
    chunkOf,
    selection: [
      ...describeListing(ranked.ids.length, listed.length, chunkOf.size),
      ...(await describeLeftOut(run)),
    ],
    unshaded: describeUnshaded(run, tokens?.count ?? 0, isFound ? undefined : shares),
  });
  return { pairs: table, chunks, tokensAbsent: isFound ? undefined : shares };
}

/** Why a pair has no shading here; `absent` where none has, and why. */
function describeUnshaded(run: RunFolder, top: number, absent: string | undefined): Unshaded {
  const serve = `npx culprit ${shellWords(["report", shownPath(run.path), "--serve"])}`;
  const elsewhere = `${serve} shades any pair when it is asked for`;
  if (absent !== undefined) return { top, within: absent, beyond: absent };
  const beyond =
    top === 0
      ? "none were computed for this report (--tokens 0)"
      : `this report has those of the ${top} pairs ranked highest (--tokens)`;
  const within =
    "the pair is too long, or says more than roles and texts, or there was no more room";
  return { top, within: `${within}; ${elsewhere}`, beyond: `${beyond}; ${elsewhere}` };
}

/** The shares of the tokens of the first pairs that have text. */
async function readTokens({
  run,
  rankings,
  ranked,
  texts,
  tokens,
}: {
  readonly run: RunFolder;
  readonly rankings: readonly RunRanking[];
  readonly ranked: RankedPairs;
  readonly texts: readonly PairText[];
  readonly tokens: NonNullable<ReadReportOptions["tokens"]>;
}): Promise<FoundShares> {
  const summed = summedRanking(rankings);
  if (summed === undefined) return "no ranking is by a score that is a sum over tokens";
  const winners = ranked.winners[rankings.indexOf(summed)];
  const place = new Map(ranked.ids.map((id, at) => [id, at]));
  const wanted = texts
    .slice(0, tokens.count)
    .filter(isWhole)
    .map(({ id, prompt, chosen, rejected }) => {
      return { id, prompt, chosen, rejected, winner: winners?.[place.get(id)!] };
    });
  return findTokenShares(run, summed, wanted, tokens);
}

/** The pairs with the shares of their tokens, while there is room. */
function withTokens(
  details: readonly PairDetail[],
  shares: ReadonlyMap<string, TokenShares>,
): readonly PairDetail[] {
  let room = TOKEN_BYTES;
  return details.map((detail) => {
    const tokens = shares.get(detail.id);
    if (tokens === undefined) return detail;
    room -= Buffer.byteLength(JSON.stringify(tokens));
    return room < 0 ? detail : { ...detail, tokens };
  });
}

/** Pairs into files, until the room for text is filled. */
function fillChunks(details: readonly PairDetail[]): PairDetail[][] {
  const chunks: PairDetail[][] = [];
  let [total, size] = [0, Number.POSITIVE_INFINITY];
  for (const detail of details) {
    const bytes = Buffer.byteLength(JSON.stringify(detail));
    if (total + bytes > TEXT_BYTES) break;
    if (size + bytes > CHUNK_BYTES) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(detail);
    size += bytes;
    total += bytes;
  }
  return chunks;
}
