import { describeListing, listPairs, textOrder, TOP_TEXTS } from "./list-pairs.ts";
import type { PairReading } from "./pair-reading.ts";
import { makePairTable, type PairTable, previewOf } from "./pair-table.ts";
import { readPairTexts } from "./pair-texts.ts";
import { type PartName, PARTS, type PartValues } from "./parts/index.ts";
import { readRankedPairs } from "./ranked-pairs.ts";
import { readRankings } from "./read-rankings.ts";
import type { PairDetail } from "./report-source.ts";
import type { RunFolder } from "./run-folder.ts";
/** @file Everything of a report as plain data: its parts, the table of pairs, and the pairs with their evidence. */
import { findNeighbors } from "./vector-neighbors.ts";

/** Of a report from disk: bytes that the text of pairs may take, and about how many a file has. */
const TEXT_BYTES = 4_500_000;
const CHUNK_BYTES = 150_000;

/** What a report holds. */
export interface ReportData {
  readonly parts: { readonly [N in PartName]: PartValues[N] | undefined };
  /** Undefined where nothing was ranked. */
  readonly pairs: PairTable | undefined;
  /** The pairs with their text, in files. */
  readonly chunks: readonly (readonly PairDetail[])[];
}

export interface ReadReportOptions {
  readonly run: RunFolder;
  readonly pairs: PairReading;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a run, finished or not. Throws FormatError naming the artefact that is damaged. */
export async function readReport({ run, pairs, signal }: ReadReportOptions): Promise<ReportData> {
  const parts: Record<string, unknown> = {};
  for (const part of PARTS) {
    signal?.throwIfAborted();
    parts[part.name] = await part.read({ run, pairs, signal });
  }
  return { parts: parts as ReportData["parts"], ...(await readPairs({ run, pairs, signal })) };
}

async function readPairs({
  run,
  pairs,
  signal,
}: ReadReportOptions): Promise<Pick<ReportData, "pairs" | "chunks">> {
  const rankings = await readRankings(run);
  const ranked = await readRankedPairs(rankings, signal);
  if (ranked === undefined) return { pairs: undefined, chunks: [] };
  const listed = listPairs(ranked);
  const wanted = new Set(Array.from(listed, (at) => ranked.ids[at]!));
  const texts =
    pairs.pairs === undefined ? new Map() : await readPairTexts(pairs.pairs, wanted, signal);
  const layer = rankings.find(({ ranking }) => ranking.layer !== undefined)?.ranking.layer;
  const near = await findNeighbors(run, layer, ranked.ids.slice(0, TOP_TEXTS));
  const inOrder = Array.from(textOrder(listed), (at) => texts.get(ranked.ids[at]!));
  const chunks = fillChunks(
    inOrder.filter((text) => text !== undefined).map((text) => ({ ...text, ...near.get(text.id) })),
  );
  const chunkOf = new Map(chunks.flatMap((chunk, i) => chunk.map(({ id }) => [id, i] as const)));
  const table = makePairTable(ranked, listed, {
    planted: pairs.planted,
    previews: new Map([...texts].map(([id, { prompt }]) => [id, previewOf(prompt)])),
    sharesPrompt: new Set(
      [...texts].flatMap(([id, { samePrompt }]) => (samePrompt.count > 0 ? [id] : [])),
    ),
    chunkOf,
    selection: describeListing(ranked.ids.length, listed.length, chunkOf.size),
  });
  return { pairs: table, chunks };
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
