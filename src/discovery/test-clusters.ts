import { membersOf } from "../clustering/cut-tree.ts";
import { holm } from "../stats/holm.ts";
import { quantile } from "../stats/quantile.ts";
import type { Rng } from "../util/rng.ts";
import type { Clustered } from "./cluster-rows.ts";
import { leanOf } from "./lean.ts";
import { multiplyRows, type Rows, rowOf, stackRows } from "./multiply-rows.ts";
import { meanDirection } from "./unit-rows.ts";
import { createVariationNull, nullP } from "./variation-null.ts";

/** Which lean is the clearer: that of the few closest pairs, or the mean over all. */
export const LEAN_KINDS = ["concentrated", "diffuse"] as const;

/** What a cluster's test found; see testSchema. */
export interface ClusterTest {
  readonly kind: (typeof LEAN_KINDS)[number];
  readonly tried: readonly {
    readonly share: number;
    readonly lean: number;
    readonly p?: number | undefined;
  }[];
  readonly lean: number;
  readonly p?: number | undefined;
  readonly holm?: number | undefined;
  readonly null95?: number | undefined;
  readonly halves: readonly number[];
  readonly agree: boolean;
}

export interface TestedClusters {
  /** By cluster; undefined for those of too few prompts. */
  readonly tests: readonly (ClusterTest | undefined)[];
  readonly variationPrompts: number;
}

/** What clusters are tested with. */
export interface TestMaterial {
  readonly changed: { readonly choosing: Rows; readonly testing: Rows };
  readonly rows: Pick<Clustered, "labels" | "clusters">;
  /** [n, width] unit rows. */
  readonly pairs: Rows;
  /** [P, width] unit rows: halves of M0's samples against each other. */
  readonly variation: Rows;
  readonly rng: Rng;
}

export interface TestOptions {
  readonly minPrompts: number;
  readonly draws: number;
  readonly leanShare: number;
  readonly threads?: number | undefined;
}

/**
 * Whether the pairs lean to each cluster further than to directions in which M0's own samples differ. Clusters were chosen by one half of the
 * samples; the direction that is tested is the mean over their prompts by the other half, which knows nothing of that choice, so no choice on
 * the same data makes a p-value small. Two leans are tried, since a behaviour may be taught by few pairs or tilt most; p is twice the smaller of
 * their p-values. Holm over the clusters that are tested. What would be true if the pairs had nothing to do with the cluster:
 *
 * - all pairs (share 1): their mean vector points anywhere, no more along the cluster's direction than along M0's. This lean is that vector's
 *   product with a direction, so 3,000 null directions tell no more of it than the independent ones among them, seven say, and it is held to
 *   a spread that so few tell (directionWeights).
 * - the closest pairs: which sides they lie on is as it is along M0's directions. Other directions have other pairs close to them, so that
 *   their leans say more than the directions' number; it is held to a normal distribution. Held by simulation, bench/discovery-null.ts.
 *
 * Both are held to the share of null directions that lean as far too; see nullP.
 *
 * Worked: two clusters along which every pair lies (lean 1), where M0's samples differ across them alone (3,000 null directions with either
 * sign, leans 0), have p = 2 · 1/6001 = 0.00033 and, by Holm, 0.00067.
 */
export async function testClusters(
  { changed, rows, pairs, variation, rng }: TestMaterial,
  { minPrompts, draws, leanShare, threads }: TestOptions,
): Promise<TestedClusters> {
  const members = membersOf(rows.labels, rows.clusters);
  const testing = members.map((each) => meanDirection(changed.testing, each));
  const choosing = members.map((each) => meanDirection(changed.choosing, each));
  const cosines = await multiplyRows(pairs, stackRows([...testing, ...choosing], pairs.width), {
    threads,
  });
  const column = (k: number, isTaken: (i: number) => boolean): Float32Array =>
    Float32Array.from(
      Array.from({ length: pairs.count }, (_, i) => i).filter(isTaken),
      (i) => rowOf(cosines, i)[k]!,
    );
  const isFirst = drawHalf(pairs.count, rng);
  const shares = [leanShare, 1];
  const nulls = await createVariationNull(variation, pairs, { rng, draws, shares, threads });
  const found: (ClusterTest | undefined)[] = [];
  for (const [k, each] of members.entries()) {
    if (each.length < minPrompts || testing[k]!.every((value) => value === 0)) {
      found.push(undefined);
      continue;
    }
    const all = column(k, () => true);
    const { leans, weights } = await nulls.leans(each.length);
    const tried = shares.map((share, s) => {
      const lean = leanOf(all, share);
      return { share, lean, p: nullP(lean, leans[s]!, share === 1 ? weights : undefined) };
    });
    const best = (tried[1]!.p ?? 1) < (tried[0]!.p ?? 1) ? 1 : 0;
    const { share, lean, p } = tried[best]!;
    const halves = [
      leanOf(
        column(members.length + k, (i) => isFirst[i] === 1),
        share,
      ),
      leanOf(
        column(k, (i) => isFirst[i] === 0),
        share,
      ),
    ];
    found.push({
      kind: best === 0 ? "concentrated" : "diffuse",
      tried,
      lean,
      p: p === undefined ? undefined : Math.min(1, shares.length * p),
      null95: p === undefined ? undefined : quantile(leans[best]!, 0.95),
      halves,
      agree: halves[0]! > 0 === halves[1]! > 0,
    });
  }
  return { tests: withHolm(found), variationPrompts: nulls.prompts };
}

/** 1 for a random half. */
function drawHalf(count: number, rng: Rng): Uint8Array {
  const order = rng.shuffle(Array.from({ length: count }, (_, i) => i));
  const isDrawn = new Uint8Array(count);
  for (const i of order.slice(0, count >> 1)) isDrawn[i] = 1;
  return isDrawn;
}

function withHolm(tests: readonly (ClusterTest | undefined)[]): (ClusterTest | undefined)[] {
  const ps = tests.flatMap((test) => test?.p ?? []);
  const adjusted = holm(ps);
  let next = 0;
  return tests.map((test) => (test?.p === undefined ? test : { ...test, holm: adjusted[next++] }));
}
