/**
 * @file What a cluster's lean is held to: directions in which M0's own responses to the same prompts differ. Half of M0's samples minus the
 * other half is what the behaviour vector would be had training changed nothing there, so its directions have the spread of the
 * checkpoint's natural variation, and their leans say how far the pairs lean to any such direction.
 */
import { upperTail } from "../stats/normal.ts";
import { eigenvalues, spreadTail } from "../stats/spread-tail.ts";
import type { Rng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import { leansOf } from "./lean.ts";
import { multiplyRows, type Rows, rowOf, stackRows } from "./multiply-rows.ts";
import { directedRows, meanDirection } from "./unit-rows.ts";

export interface VariationNullOptions {
  readonly rng: Rng;
  /** Null directions for each size of cluster; each counts with either sign. */
  readonly draws: number;
  /** Of the closest pairs that leans are made of. */
  readonly shares: readonly number[];
  readonly threads?: number | undefined;
}

/** The leans of directions of own variation, for clusters of any size. */
export interface VariationNull {
  /** Prompts at which M0's samples differ. */
  readonly prompts: number;
  /** For clusters of about so many prompts. */
  leans(size: number): Promise<NullLeans>;
}

export interface NullLeans {
  /** Leans of clusters of own variation, of either sign: [2 x draws] for each share, empty without a null. */
  readonly leans: readonly Float64Array[];
  /** How much of their directions lies along each of as many directions at right angles; see directionWeights. */
  readonly weights: ArrayLike<number>;
}

/** With fewer prompts at which M0's own samples differ, there is no null. */
export const MIN_VARIATION_PROMPTS = 20;
/** Directions scored at once. */
const CHUNK = 256;
/** Directions compared with each other, at most: they count as no more independent ones. */
const COMPARED = 128;

/**
 * The null for a mix, `pairs` [n, width] unit rows. A cluster of prompts was chosen for its likeness, so a direction of own variation is too: the mean
 * of a prompt's variation and those that are most like it, signs turned to agree, as many as the cluster has (the power of two below); from
 * the second time that a prompt begins one, a random half of twice as many.
 */
export async function createVariationNull(
  variation: Rows,
  pairs: Rows,
  { rng, draws, shares, threads }: VariationNullOptions,
): Promise<VariationNull> {
  const directed = directedRows(variation);
  const likeness =
    directed.length < MIN_VARIATION_PROMPTS
      ? undefined
      : await multiplyRows(variation, variation, { threads });
  const known = new Map<number, NullLeans>();
  return {
    prompts: directed.length,
    async leans(size) {
      if (likeness === undefined) {
        return { leans: shares.map(() => new Float64Array(0)), weights: [1] };
      }
      const rounded = 2 ** Math.floor(Math.log2(Math.max(1, size)));
      const found = known.get(rounded);
      if (found !== undefined) return found;
      const sought = { variation, likeness, directed, size: rounded, rng };
      const direction = (draw: number): Float32Array => variationDirection(sought, draw);
      const leans = await leansAlong(pairs, { draws, direction }, shares, threads);
      known.set(rounded, leans);
      return leans;
    },
  };
}

interface Sought {
  readonly variation: Rows;
  readonly likeness: Rows;
  readonly directed: readonly number[];
  readonly size: number;
  readonly rng: Rng;
}

function variationDirection(
  { variation, likeness, directed, size, rng }: Sought,
  draw: number,
): Float32Array {
  const first = directed[draw % directed.length]!;
  const like = rowOf(likeness, first);
  const others = directed
    .filter((i) => i !== first)
    .toSorted((a, b) => Math.abs(like[b]!) - Math.abs(like[a]!));
  const isFirstRound = draw < directed.length;
  const wanted = size - 1;
  const near = isFirstRound
    ? others.slice(0, wanted)
    : rng.shuffle(others.slice(0, 2 * wanted)).slice(0, wanted);
  const members = [first, ...near];
  const turned = new Float32Array(members.length * variation.width);
  for (const [k, i] of members.entries()) {
    const sign = k === 0 || like[i]! >= 0 ? 1 : -1;
    turned.set(
      rowOf(variation, i).map((value) => sign * value),
      k * variation.width,
    );
  }
  const rows = { count: members.length, width: variation.width, values: turned };
  return meanDirection(rows, members.keys());
}

/**
 * Of both signs: turned round, a direction has the opposite lean. Directions are made as they are scored, in the order of the draws: however
 * many there are, those of one chunk are held, and some, spread evenly over the draws, that are compared with each other.
 */
async function leansAlong(
  pairs: Rows,
  {
    draws,
    direction,
  }: { readonly draws: number; readonly direction: (draw: number) => Float32Array },
  shares: readonly number[],
  threads: number | undefined,
): Promise<NullLeans> {
  const leans = shares.map(() => new Float64Array(2 * draws));
  const stride = Math.ceil(draws / COMPARED);
  const compared: Float32Array[] = [];
  for (let start = 0; start < draws; start += CHUNK) {
    const count = Math.min(CHUNK, draws - start);
    const values = new Float32Array(count * pairs.width);
    for (let k = 0; k < count; k++) {
      const made = direction(start + k);
      values.set(made, k * pairs.width);
      if ((start + k) % stride === 0) compared.push(made);
    }
    const rows = { count, width: pairs.width, values };
    const found = leansOf(await multiplyRows(pairs, rows, { threads }), shares);
    for (const [s, ofShare] of found.entries()) {
      for (const [k, lean] of ofShare.entries()) {
        leans[s]![2 * (start + k)] = lean;
        leans[s]![2 * (start + k) + 1] = -lean;
      }
    }
  }
  return { leans, weights: await directionWeights(compared, threads) };
}

/**
 * How much of some unit directions lies along each of as many directions at right angles, of sum 1: the eigenvalues of the mean of u uᵀ.
 * Where the mean vector of all pairs may point anywhere, its products with directions at right angles are independent, of one spread. The
 * mean square of its products with these directions is then a sum of independent squares with these weights (Box 1954), see spreadTail.
 *
 * Worked: two directions at right angles have weights 1/2 and 1/2, three of which two are the same 2/3 and 1/3, all on one line 1.
 */
export async function directionWeights(
  directions: readonly Float32Array[],
  threads: number | undefined,
): Promise<Float64Array> {
  const [first] = directions;
  if (first === undefined) return Float64Array.of(1);
  const rows = stackRows(directions, first.length);
  const { values } = await multiplyRows(rows, rows, { threads });
  const found = eigenvalues(values, rows.count).map((each) => Math.max(0, each));
  const sum = found.reduce((total, each) => total + each, 0);
  return sum > 0 ? found.map((each) => each / sum) : Float64Array.of(1);
}

/**
 * How often a null is at least as large, itself counted in (Davison and Hinkley 1997, 4.11), and no less than a distribution about 0 of the
 * nulls' spread says: null directions share the few prompts, and the few ways of varying, that they are made of, so how often the largest
 * come is known badly. The distribution is normal, or with `weights` that of a spread which so few directions tell (see spreadTail).
 * Undefined without a null.
 *
 * Worked: of the nulls 0.1, -0.1, 0.2 and -0.2, spread 0.158, none reaches 0.3: 1/5 = 0.2; a normal one would in 0.029, one whose spread
 * is told by four directions alike in 0.065.
 */
export function nullP(
  lean: number,
  leans: Float64Array,
  weights?: ArrayLike<number>,
): number | undefined {
  if (leans.length === 0) return undefined;
  const beyond = leans.reduce((count, each) => count + Number(each >= lean), 0);
  const spread = norm(leans) / Math.sqrt(leans.length);
  const byDirections = (beyondSpread: number): number =>
    weights === undefined ? upperTail(beyondSpread) : spreadTail(beyondSpread, weights);
  const tail = spread > 0 ? byDirections(lean / spread) : 0;
  return Math.max((1 + beyond) / (leans.length + 1), tail);
}
