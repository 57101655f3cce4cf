import { type Correlation, spearman } from "../stats/spearman.ts";
/**
 * @file The second of two passes over pairs: a store of vectors that were read in low precision, and exact ones of the pairs that such a
 * store ranks highest, and of some drawn at random, which tell how far the first ones can be trusted.
 */
import type { ExactPlace, ReadExactly } from "../store/exact-rows.ts";
import type { VectorStore } from "../store/open-store.ts";
import { readStoreVector } from "../store/read-vector.ts";
import type { RefinedTop, Refinement } from "../store/refinement.ts";
import { ConfigError } from "../util/errors.ts";
import { hashBytes } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { cosine } from "../util/vector.ts";
import type { ScoredBehavior } from "./method.ts";
import { type MissedPairs, missedPairs } from "./missed-pairs.ts";
import { rankScores } from "./rank-scores.ts";
import { rankStore, type StoreScores } from "./rank-store.ts";

/** Scorers whose score of a pair depends on that pair alone. */
export const REFINED_SCORERS = ["cosine", "projection", "bank-max"] as const;

export interface RefineOptions extends JobOptions {
  /** Pairs of a top that must be the exact one, from the number that have a score. */
  readonly top: (scored: number) => number;
  /** Pairs of the random sample, from the number that have a score. */
  readonly audit: (scored: number) => number;
  /** Share of the exact top that must be found, in (0, 1). */
  readonly recall: number;
  readonly scorer: (typeof REFINED_SCORERS)[number];
  /** Default: every layer that store and behaviours share. */
  readonly layers?: readonly number[] | "auto" | undefined;
  readonly seed: number;
  readonly threads?: number | undefined;
  /** Reads pairs exactly, a round at a time. */
  readonly read: ReadExactly;
}

export interface RefinedPairs {
  readonly refinement: Refinement;
  /** The store that has a row exactly, and its row there; by row of the first store. */
  readonly exact: ReadonlyMap<number, ExactPlace>;
}

/** Pairs first looked at, as a multiple of the top, and how many times more each round takes. */
const FIRST_ROUND = 1.2;
const WIDER = 1.4;
/** Fewer pairs drawn at random say too little of errors. */
const MIN_AUDIT = 20;

/**
 * Reads the likeliest pairs of each behaviour and layer exactly, and a random sample, and goes on with the next ones until the share of the
 * exact top that is missed is, at 95%, no more than 1 − `recall`, and the top of the store that comes of it has exact pairs
 * alone: first scores that are too high would stand before exact ones there. At the end that may be all pairs. Deterministic: the same store,
 * behaviours, settings and exact vectors give the same rows. Throws ConfigError where there are too few pairs for a sample.
 */
export async function refineStore(
  first: VectorStore,
  behaviors: readonly ScoredBehavior[],
  options: RefineOptions,
): Promise<RefinedPairs> {
  const { scorer, seed, read, layers, threads, signal, recall } = options;
  for (const { name, identity } of behaviors) {
    if (identity.precision === undefined) continue;
    throw new ConfigError(`behavior "${name}": expected one of F32, got ${identity.precision}`, {
      hint: "Exact vectors are scored by it: make it by culprit behavior without --precision.",
    });
  }
  const how = { scorer, nullDirections: 0, threads, signal };
  const rough = await rankStore(asExact(first), behaviors, { ...how, layers });
  const tops = rough.map((scores) => startTop(scores, options));
  const scored = [...rough[0]!.scores.keys()].filter((row) =>
    rough.every(({ scores }) => !Number.isNaN(scores[row]!)),
  );
  const rng = createRng(seed);
  const audit = rng
    .shuffle([...scored])
    .slice(0, Math.max(MIN_AUDIT, options.audit(scored.length)))
    .toSorted((a, b) => a - b);
  if (audit.length < MIN_AUDIT) {
    throw new ConfigError(
      `store: expected at least ${MIN_AUDIT} pairs with a score to check the first pass by, got ${audit.length}`,
      { hint: "So few pairs are embedded in F32 at once: leave --precision out of culprit embed." },
    );
  }
  const exact = new Map<number, ExactPlace>();
  const wide = tops.map(({ pairs }) => Math.ceil(FIRST_ROUND * pairs));
  let wanted = new Set(audit);
  for (let round = 0; ; round++) {
    for (const [i, { order }] of tops.entries()) {
      for (const row of order.subarray(0, wide[i])) wanted.add(row);
    }
    const rows = [...wanted].filter((row) => !exact.has(row)).toSorted((a, b) => a - b);
    if (rows.length > 0) {
      const store = await read(round, rows);
      for (const [i, row] of rows.entries()) exact.set(row, { store, row: i });
      const found = await rankStore(store, behaviors, { ...how, layers });
      for (const [i, top] of tops.entries()) {
        for (const [k, row] of rows.entries()) top.exact[row] = found[i]!.scores[k]!;
      }
    }
    const isKnown = (row: number): boolean => exact.has(row);
    const states = tops.map((top, i) =>
      stateOf(top, { audit, wide: wide[i]!, isKnown, rng: createRng(seed + i) }),
    );
    const unsafe = states.map(
      ({ missed }, i) =>
        missed.high > (1 - recall) * tops[i]!.pairs && wide[i]! < tops[i]!.order.length,
    );
    const unread = tops.flatMap((top) => unreadInTop(top, isKnown));
    if (!unsafe.includes(true) && unread.length === 0) {
      const refinement: Refinement = {
        precision: first.manifest.checkpoint.precision!, // the verb has looked
        scorer,
        recall,
        seed,
        exactPairs: exact.size,
        rounds: round + 1,
        audit: await auditVectors(first, exact, audit, [...new Set(tops.map((top) => top.layer))]),
        tops: states.map(({ missed, correlation }, i) =>
          describeTop(tops[i]!, behaviors, { missed, correlation }),
        ),
      };
      return { refinement, exact };
    }
    for (const [i, isUnsafe] of unsafe.entries()) {
      if (isUnsafe) wide[i] = Math.min(tops[i]!.order.length, Math.ceil(WIDER * wide[i]!));
    }
    wanted = new Set(unread);
  }
}

/** A behaviour's ranking at a layer by first scores, and what is known of the exact ones. */
interface RefinedRanking {
  readonly behavior: string;
  readonly layer: number;
  readonly first: Float32Array;
  /** NaN where not known. */
  readonly exact: Float32Array;
  /** Rows with a score, best first. */
  readonly order: Uint32Array;
  /** Of the top. */
  readonly pairs: number;
}

function startTop(
  { behavior, layer, scores }: StoreScores,
  { top }: Pick<RefineOptions, "top">,
): RefinedRanking {
  const { order, scored } = rankScores(scores);
  return {
    behavior,
    layer,
    first: scores,
    exact: new Float32Array(scores.length).fill(Number.NaN),
    order: order.subarray(0, scored),
    pairs: top(scored),
  };
}

/** Pairs of the top that stand there by their first scores: of the ranking by exact scores where these are known, else by first ones. */
function unreadInTop(
  { first, exact, order, pairs }: RefinedRanking,
  isKnown: (row: number) => boolean,
): readonly number[] {
  const score = (row: number): number => (isKnown(row) ? exact[row]! : first[row]!);
  // Those not read stand in the order of first scores: no more than `pairs` of them can be in the top.
  const candidates = [
    ...order.filter(isKnown),
    ...order.filter((row) => !isKnown(row)).subarray(0, pairs),
  ];
  return candidates
    .filter((row) => !Number.isNaN(score(row)))
    .toSorted((a, b) => score(b) - score(a))
    .slice(0, pairs)
    .filter((row) => !isKnown(row));
}

/**
 * Errors of first scores are taken from the sample, which is of all pairs, and from the last ones of the likeliest pairs that were read,
 * which stand beside those that were not: they were chosen by first scores alone, and where errors grow with scores they are the larger
 * ones. What is missed is the larger of both.
 */
function stateOf(
  { first, exact, order, pairs }: RefinedRanking,
  {
    audit,
    wide,
    isKnown,
    rng,
  }: {
    readonly audit: readonly number[];
    /** Pairs that were read of those with the highest first scores. */
    readonly wide: number;
    readonly isKnown: (row: number) => boolean;
    readonly rng: Rng;
  },
): { readonly missed: MissedPairs; readonly correlation: Correlation | undefined } {
  const hasScore = (row: number): boolean => !Number.isNaN(exact[row]!);
  const errorsOf = (rows: Iterable<number>): Float64Array =>
    Float64Array.from(rows, (row) => exact[row]! - first[row]!);
  const known = audit.filter(hasScore);
  const beside = order.subarray(Math.max(0, wide - audit.length), wide).filter(hasScore);
  const highest = exact.filter((score) => !Number.isNaN(score)).toSorted((a, b) => b - a);
  const threshold = highest[Math.min(pairs, highest.length) - 1]!;
  const left = order.filter((row) => !isKnown(row));
  const rest = { first: Float32Array.from(left, (row) => first[row]!), threshold };
  const missed = [known, ...(beside.length < MIN_AUDIT ? [] : [beside])]
    .map((rows) => missedPairs({ ...rest, errors: errorsOf(rows) }, rng))
    .reduce((a, b) => ({
      expected: Math.max(a.expected, b.expected),
      high: Math.max(a.high, b.high),
    }));
  const correlation = spearman(
    known.map((row) => first[row]!),
    known.map((row) => exact[row]!),
  );
  return { missed, correlation };
}

function describeTop(
  { behavior, layer, pairs }: RefinedRanking,
  behaviors: readonly ScoredBehavior[],
  { missed, correlation }: ReturnType<typeof stateOf>,
): RefinedTop {
  const found = behaviors.find(({ name }) => name === behavior)!; // it was scored
  const share = (count: number): number => Math.max(0, 1 - count / pairs);
  return {
    behavior,
    direction: directionHash(found, layer),
    layer,
    pairs,
    missed: missed.expected,
    recall: share(missed.expected),
    recallLow: share(missed.high),
    correlation,
  };
}

/** By which a ranking knows that a store was refined for its behaviour. */
export function directionHash({ directions }: ScoredBehavior, layer: number): string {
  const { buffer, byteOffset, byteLength } = directions.get(layer)!; // scored at it
  return hashBytes(new Uint8Array(buffer, byteOffset, byteLength));
}

/** How the vectors of the sample lie beside the exact ones, layer by layer. */
async function auditVectors(
  first: VectorStore,
  exact: RefinedPairs["exact"],
  audit: readonly number[],
  layers: readonly number[],
): Promise<Refinement["audit"]> {
  return Promise.all(
    layers
      .toSorted((a, b) => a - b)
      .map(async (layer) => {
        const cosines: (number | undefined)[] = [];
        for (const row of audit) {
          const place = exact.get(row)!; // the sample was read in the first round
          const [a, b] = [
            await readStoreVector(first, layer, row),
            await readStoreVector(place.store, layer, place.row),
          ];
          cosines.push(cosine(a.values, b.values));
        }
        const ascending = cosines.filter((each) => each !== undefined).toSorted((a, b) => a - b);
        return {
          layer,
          pairs: ascending.length,
          medianCosine: ascending[ascending.length >> 1]!,
          worstCosine: ascending[0]!,
          // Of which none is in the sample: (1 − share)^n = 0.05.
          worseShare: 1 - 0.05 ** (1 / ascending.length),
        };
      }),
  );
}

/** The store as one that behaviours of F32 may be held to: how far it is from that is what is asked here. */
export function asExact(store: VectorStore): VectorStore {
  const { precision: _, ...checkpoint } = store.manifest.checkpoint;
  return { ...store, manifest: { ...store.manifest, checkpoint } };
}
