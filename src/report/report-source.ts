/**
 * @file How the page asks for a report: one interface, whatever answers it. A report from disk answers from its own files; a server would
 * answer from the run. Types alone, so that the page can import them.
 */
import type { Decision } from "../edit/decisions.ts";
import type { DecisionCounts, EditAgreement, ReviewedPrecision } from "../edit/review-figures.ts";
import type { Message } from "../format/messages.ts";
import type { ColumnValue } from "../pairs/preference-pair.ts";
import type { Correlation } from "../stats/spearman.ts";
import type { PartName, PartValues } from "./parts/index.ts";

export type { Decision } from "../edit/decisions.ts";
export type { PartName, PartValues } from "./parts/index.ts";

/** What the page asks. */
export interface ReportSource {
  /** Undefined where the run has nothing of it. */
  part<N extends PartName>(name: N): Promise<PartValues[N] | undefined>;
  /** Undefined where nothing was ranked. */
  pairSummary(): Promise<PairSummary | undefined>;
  /** The listed pairs that fit, in the order asked for. */
  pairs(query: PairQuery): Promise<PairList>;
  /** Undefined for a pair that the report does not hold. */
  pair(id: string): Promise<PairDetail | undefined>;
  /** What the tokens of a pair add to its score, where `pair` has not said it: a server computes it, from disk it says why it is not there. */
  readonly tokens: (id: string) => Promise<TokensAnswer>;
  /** How far the run is. Absent from disk, where nothing changes. */
  readonly progress?: (() => Promise<RunProgress>) | undefined;
  /** What people decide of single pairs. Absent from disk, where nothing can be written. */
  readonly review?: ReviewSource | undefined;
}

/** Pairs to look at one by one, and what was decided of them. */
export interface ReviewSource {
  /** Undefined where nothing was ranked. */
  summary(): Promise<ReviewSummary | undefined>;
  /** Undefined where there is no such queue. */
  queue(query: QueueQuery): Promise<QueuePlace | undefined>;
  /** Writes a decision down; when this is done it is on the disk. */
  decide(decision: Decision): Promise<Decided>;
}

/** What was decided so far, and what it says. */
export interface ReviewSummary {
  /** Name of the file that the decisions are in. */
  readonly file: string;
  /** Bytes of a line that a crash cut off; 0 as soon as a decision has taken its place. */
  readonly torn: number;
  readonly counts: DecisionCounts;
  readonly queues: readonly ReviewQueue[];
  /** Beside each automatic edit of the run. */
  readonly agreements: readonly (EditAgreement & { readonly edit: string })[];
  /** Of the first ranking. */
  readonly precision: readonly ReviewedPrecision[];
}

/** Pairs in an order. */
export interface ReviewQueue {
  /** `top`, or the arm of an automatic edit. */
  readonly name: string;
  /** How many pairs it has at most: of `top` those with a score. */
  readonly pairs: number;
}

/** `rank`: best first. `random`: in an order of which any beginning is a random sample. */
export const QUEUE_ORDERS = ["rank", "random"] as const;

export interface QueueQuery {
  readonly name: string;
  /** Of `top`: so many pairs. */
  readonly k: number;
  readonly order: (typeof QUEUE_ORDERS)[number];
  /** Position in the queue. */
  readonly at: number;
}

/** A pair in its queue. */
export interface QueuePlace {
  readonly count: number;
  /** Pairs of the queue that were decided, the unsure ones among them. */
  readonly decided: number;
  /** The first from `at` on that was not, around the end; -1 where all were. */
  readonly open: number;
  /** At the position; undefined beyond the end. */
  readonly decision: Decision | undefined;
}

export interface Decided {
  /** What stands now. */
  readonly decision: Decision;
  /** What stood before. */
  readonly before: Decision;
}

/** The shares of a pair's tokens, or why there are none. */
export type TokensAnswer =
  | { readonly tokens: TokenShares; readonly absent?: undefined }
  | { readonly tokens?: undefined; readonly absent: string };

/** How far a run is. */
export interface RunProgress {
  readonly name: string;
  /** `waiting`: not begun. `stopped`: begun, not at work and not done. */
  readonly state: "waiting" | "running" | "stopped" | "done";
  /** Another one whenever there is more to show. */
  readonly version: string;
  readonly stages: readonly StageProgress[];
  readonly total: CostSoFar;
  readonly currency: string;
  /** Of the stage at work alone; undefined where its end is not known. */
  readonly secondsLeft: number | undefined;
}

/** What was spent. */
export interface CostSoFar {
  readonly seconds: number;
  readonly tokens: number;
  /** Of the machine and of endpoints, where prices are known. */
  readonly money: number | undefined;
}

/** How far one stage is. */
export interface StageProgress {
  readonly id: string;
  readonly state: "done" | "running" | "interrupted" | "failed" | "missing";
  readonly isCached: boolean;
  readonly cost: CostSoFar | undefined;
  /** In `unit`, with units a second; undefined where it does not say. */
  readonly done: number | undefined;
  readonly total: number | undefined;
  readonly unit: string | undefined;
  readonly rate: number | undefined;
  /** First line of the error that ended it. */
  readonly failure: string | undefined;
}

/** One ranking as the table of pairs shows it. */
export interface PairMethod {
  readonly label: string;
  readonly formula: string;
  readonly scored: number;
  /** Whether scores end at -1 and 1. */
  readonly isBounded: boolean;
}

/** What there is to choose from. */
export interface PairSummary {
  /** Ranked by the run. */
  readonly total: number;
  /** Of which the report has a row. */
  readonly listed: number;
  /** Which pairs are listed, and of which there is text; a sentence each. */
  readonly selection: readonly string[];
  readonly methods: readonly PairMethod[];
  readonly sources: readonly string[];
  readonly hasPlanted: boolean;
  /** Every two methods beside one another. */
  readonly agreements: readonly MethodAgreement[];
  /** Of all pairs' scores by the first method. */
  readonly histogram: Histogram | undefined;
}

/** How far two rankings of the same pairs agree. */
export interface MethodAgreement {
  /** Their labels. */
  readonly between: readonly [string, string];
  /** Spearman's, of the pairs that both score; absent where it cannot be computed. */
  readonly correlation: Correlation | undefined;
  /** Pairs that the tops of both have in common, and how many chance would give. */
  readonly tops: readonly {
    readonly k: number;
    readonly shared: number;
    readonly expected: number;
  }[];
}

/** Counts in bins; one more edge than bins. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** `repeated`: another pair says the same, word for word. `near-identical`: its two sides do nearly. */
export const PAIR_FLAGS = [
  "low norm",
  "planted",
  "shared prompt",
  "no text",
  "repeated",
  "near-identical",
] as const;
export type PairFlag = (typeof PAIR_FLAGS)[number];

/** Which pairs, in which order. */
export interface PairQuery {
  /** Whose scores are shown, filtered and sorted by: a position in `methods`. */
  readonly method: number;
  /** Words that all occur in the id, the source or the beginning of the prompt. */
  readonly search?: string | undefined;
  readonly source?: string | undefined;
  /** These alone, a line each. */
  readonly ids?: string | undefined;
  readonly flag?: PairFlag | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly sort: PairSort;
  readonly isDescending: boolean;
}

export const PAIR_SORTS = ["rank", "score", "source", "norm", "id"] as const;
export type PairSort = (typeof PAIR_SORTS)[number];

/** The pairs that fit a query; rows are asked for as they come into view. */
export interface PairList {
  readonly count: number;
  rows(start: number, end: number): readonly PairRow[] | Promise<readonly PairRow[]>;
  /** Position of a pair in the list, -1 where it is not in it. */
  indexOf(id: string): number | Promise<number>;
}

/** A pair in the table. */
export interface PairRow {
  readonly id: string;
  readonly source: string | undefined;
  /** The beginning of the last turn of the prompt. */
  readonly preview: string;
  readonly norm: number | undefined;
  readonly flags: readonly PairFlag[];
  /** By every method, in their order. */
  readonly places: readonly PairPlace[];
}

/** A pair's place in one ranking; undefined members where it has no score. */
export interface PairPlace {
  readonly score: number | undefined;
  readonly rank: number | undefined;
  /** Share of the scored pairs below it, in percent. */
  readonly percentile: number | undefined;
  /** What of the behaviour decided the score. */
  readonly winner?: string | undefined;
}

/** A pair with its evidence. */
export interface PairDetail {
  readonly id: string;
  /** Last part of the file's name, and the row in it from 0. */
  readonly file: string;
  readonly fileRow: number;
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
  /** Characters that were cut from the ends of long turns. */
  readonly cut: number;
  /** What the pair says besides roles and texts, which is not shown: tools, calls, reasoning. Absent: nothing. */
  readonly beside?: readonly string[] | undefined;
  readonly columns: Readonly<Record<string, ColumnValue>>;
  /** Other pairs with the same prompt, some of them. */
  readonly samePrompt: { readonly count: number; readonly ids: readonly string[] };
  /** The first of the other pairs that say the same: prompt, chosen and rejected. Absent: none does. */
  readonly repeats?: string | undefined;
  /** Cosine of the datapoint vectors, among those ranked highest. */
  readonly nearestPairs?: readonly Near[] | undefined;
  /** Cosine with the vectors of the behaviour's scenarios. */
  readonly nearestScenarios?: readonly Near[] | undefined;
  /** What each token adds to the score; absent where it was not computed. */
  readonly tokens?: TokenShares | undefined;
}

/** Something in vector space, by its id. */
export interface Near {
  readonly id: string;
  readonly cosine: number;
}

/** The score of a pair as a sum over the tokens of its two responses. */
export interface TokenShares {
  /** The label of the ranking. */
  readonly method: string;
  readonly chosen: TokenSide;
  readonly rejected: TokenSide;
  /** Of all shares: the score, but for the rounding of stored vectors. */
  readonly sum: number;
  /** The largest share, up or down. */
  readonly largest: number;
}

/** One response, token by token. */
export interface TokenSide {
  /** The texts of all tokens, one behind the other. */
  readonly text: string;
  /** Characters of each token in it; 0 for one without text, such as the end of the turn. */
  readonly lengths: readonly number[];
  /** What each adds to the score, in thousandths of the largest share. */
  readonly shares: readonly number[];
}
