/**
 * @file How often culprit discover passes a cluster where no pairs teach it: npx tsx bench/discovery-null.ts [RUNS [KINDS [FIRST]]]. RUNS simulated data
 * sets (default 40) of each kind, with seeds from FIRST on (default 0), as vectors:
 *
 *   same       M1 samples as M0 does
 *   drift      each kind of prompt changed for good, in a direction of its own that has nothing to do with the pairs: half of them in a
 *              direction in which M0's samples vary as well, half in any
 *   opposed    as drift, and 4% of the pairs lie close to one kind's change, half of them on either side
 *   planted    as drift, and 4% of the pairs teach one kind's change
 *
 * In the first three no cluster should pass Holm; in the last the changed kind's should, and no other. 160 prompts of 8 kinds with 8 samples of each
 * checkpoint, 3,000 pairs of 6 sources, each with a preference of its own; 64 dimensions, in which responses vary along 24 styles. Beside
 * it stands what a p-value would say that does not mind the choice: clusters chosen and tested on the same samples, pairs' sides exchanged at random.
 */
import { clusterRows } from "../src/discovery/cluster-rows.ts";
import { leanOf } from "../src/discovery/lean.ts";
import { multiplyRows, type Rows, rowOf } from "../src/discovery/multiply-rows.ts";
import { testClusters } from "../src/discovery/test-clusters.ts";
import { meanDirection, unitDifferences } from "../src/discovery/unit-rows.ts";
import { holm } from "../src/stats/holm.ts";
import { createRng, type Rng } from "../src/util/rng.ts";

const RUNS = Number(process.argv[2] ?? 40);
const KINDS = ["same", "drift", "opposed", "planted"] as const;
type Kind = (typeof KINDS)[number];

const DIM = 64;
const STYLES = 24;
const GROUPS = 8;
const PROMPTS = 160;
const SAMPLES = 8;
const PAIRS = 3000;
const SOURCES = 6;
const SHARE = 0.04;
/** That of culprit discover, and the usual one beside it. */
const ALPHAS = [0.01, 0.05] as const;
const FLIPS = 199;
const OPTIONS = {
  linkage: "ward",
  maxClusters: 20,
  minPrompts: 5,
  draws: 1000,
  leanShare: 0.02,
} as const;

interface Mix {
  readonly before: readonly [Rows, Rows];
  readonly after: readonly [Rows, Rows];
  readonly pairs: Rows;
}

const gaussian = (rng: Rng, scale: number): Float32Array =>
  Float32Array.from({ length: DIM }, () => scale * rng.normal());

function add(target: Float32Array, vector: Float32Array, factor: number): void {
  for (let j = 0; j < DIM; j++) target[j]! += factor * vector[j]!;
}

function simulate(kind: Kind, rng: Rng): Mix {
  const unit = 1 / Math.sqrt(DIM);
  const styles = Array.from({ length: STYLES }, () => gaussian(rng, unit));
  /** A response varies along a few styles that its kind of prompt has, and a little in every direction. */
  const own = Array.from({ length: GROUPS }, () =>
    Array.from({ length: 6 }, () => rng.integer(STYLES)),
  );
  const vary = (target: Float32Array, group: number): void => {
    for (const style of own[group]!) add(target, styles[style]!, rng.normal());
    add(target, gaussian(rng, unit), 0.5);
  };
  const changes = Array.from({ length: GROUPS }, (_, group) => {
    if (kind === "same") return new Float32Array(DIM);
    return group % 2 === 0 ? styles[own[group]![0]!]!.map((v) => 2 * v) : gaussian(rng, 2 * unit);
  });
  const halves = (): [Rows, Rows] => {
    const make = (): Rows => ({
      count: PROMPTS,
      width: DIM,
      values: new Float32Array(PROMPTS * DIM),
    });
    return [make(), make()];
  };
  const [before, after] = [halves(), halves()];
  for (let p = 0; p < PROMPTS; p++) {
    const group = p % GROUPS;
    const prompt = gaussian(rng, 1);
    for (const [side, change] of [
      [before, undefined],
      [after, changes[group]!],
    ] as const) {
      for (let sample = 0; sample < SAMPLES; sample++) {
        const response = prompt.slice();
        vary(response, group);
        if (change !== undefined) add(response, change, 1);
        add(rowOf(side[sample % 2]!, p), response, 2 / SAMPLES);
      }
    }
  }
  const preferences = Array.from({ length: SOURCES }, () => gaussian(rng, 0.5 * unit));
  const values = new Float32Array(PAIRS * DIM);
  for (let d = 0; d < PAIRS; d++) {
    const pair = values.subarray(d * DIM, (d + 1) * DIM);
    const group = rng.integer(GROUPS);
    vary(pair, group);
    add(pair, preferences[d % SOURCES]!, 1);
    const isClose = (kind === "planted" || kind === "opposed") && d < SHARE * PAIRS;
    if (isClose) {
      pair.fill(0);
      add(pair, gaussian(rng, unit), 0.8);
      add(pair, changes[1]!, kind === "opposed" && d % 2 === 0 ? -1 : 1);
    }
  }
  const pairs = { count: PAIRS, width: DIM, values };
  const none = { ...pairs, values: new Float32Array(values.length) };
  return { before, after, pairs: unitRows(pairs, none) };
}

/** Rounding is judged by what a difference is from: of nothing there is none. */
const unitRows = (rows: Rows, none: Rows): Rows => unitDifferences(rows, none, 1);

interface Outcome {
  /** For each of ALPHAS the clusters that pass, and whether they hold the changed kind of prompts. */
  readonly passing: readonly { readonly clusters: number; readonly found: boolean }[];
  /** Clusters that pass at 0.05 by the test that does not mind the choice. */
  readonly naive: number;
  readonly ps: readonly number[];
}

async function run(kind: Kind, seed: number): Promise<Outcome> {
  const rng = createRng(1_000_003 * (KINDS.indexOf(kind) + 1) + seed);
  const { before, after, pairs } = simulate(kind, rng);
  const [choosing, testing] = [0, 1].map((h) => unitDifferences(after[h]!, before[h]!, 1)) as [
    Rows,
    Rows,
  ]; // two halves
  const drift = unitDifferences(before[0], before[1], 1);
  const rows = await clusterRows(choosing, { ...OPTIONS, threads: 1 });
  const changed = { choosing, testing };
  const { tests } = await testClusters(
    { changed, rows, pairs, variation: drift, rng },
    { ...OPTIONS, threads: 1 },
  );
  const planted = Array.from({ length: PROMPTS }, (_, p) => p).filter((p) => p % GROUPS === 1);
  const holds = (cluster: number): boolean =>
    planted.filter((p) => rows.labels[p] === cluster).length >= planted.length / 2;
  return {
    passing: ALPHAS.map((alpha) => {
      const clusters = [...tests.keys()].filter((cluster) => {
        const test = tests[cluster];
        return test?.holm !== undefined && test.holm < alpha && test.agree;
      });
      return { clusters: clusters.length, found: clusters.some(holds) };
    }),
    naive: await naivePassing(choosing, rows, pairs, rng),
    ps: tests.flatMap((test) => test?.p ?? []),
  };
}

/** Clusters tested on the samples that chose them, pairs' sides exchanged at random. */
async function naivePassing(
  choosing: Rows,
  { labels, clusters }: { readonly labels: Int32Array; readonly clusters: number },
  pairs: Rows,
  rng: Rng,
): Promise<number> {
  const ps: number[] = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    const members = [...labels.keys()].filter((p) => labels[p] === cluster);
    if (members.length < OPTIONS.minPrompts) continue;
    const direction = meanDirection(choosing, members);
    const { values } = await multiplyRows(
      pairs,
      { count: 1, width: DIM, values: direction },
      { threads: 1 },
    );
    const lean = leanOf(values);
    let beyond = 0;
    for (let flip = 0; flip < FLIPS; flip++) {
      if (leanOf(values.map((cosine) => rng.sign() * cosine)) >= lean) beyond++;
    }
    ps.push((1 + beyond) / (FLIPS + 1));
  }
  return holm(ps).filter((p) => p < 0.05).length;
}

const HEADINGS = [
  "mix",
  "runs",
  ...ALPHAS.flatMap((alpha) => [`passes at ${alpha}`, "changed kind", "another"]),
  "single p < 0.05",
  "not minding the choice",
];
const line = (cells: readonly (string | number)[]): void =>
  void process.stdout.write(
    `${cells.map((cell, i) => `${cell}`.padEnd(HEADINGS[i]!.length)).join("  ")}\n`,
  );
line(HEADINGS);
const asked = process.argv[3]?.split(",") ?? KINDS;
const FIRST = Number(process.argv[4] ?? 0);
for (const kind of KINDS.filter((each) => asked.includes(each))) {
  const outcomes: Outcome[] = [];
  for (let seed = FIRST; seed < FIRST + RUNS; seed++) outcomes.push(await run(kind, seed));
  const count = (isIt: (outcome: Outcome) => boolean): number => outcomes.filter(isIt).length;
  const ps = outcomes.flatMap((outcome) => outcome.ps);
  const below = ps.filter((p) => p < 0.05).length / ps.length;
  line([
    kind,
    RUNS,
    ...ALPHAS.flatMap((_, a) => [
      count(({ passing }) => passing[a]!.clusters > 0),
      count(({ passing }) => passing[a]!.found),
      count(({ passing }) => passing[a]!.clusters > Number(passing[a]!.found)),
    ]),
    `${(100 * below).toFixed(1)}% of ${ps.length}`,
    count(({ naive }) => naive > 0),
  ]);
}
