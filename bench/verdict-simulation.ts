/**
 * @file How often the verdict on a ranking is right, over simulated behaviours and pairs.
 *
 *   npx tsx bench/verdict-simulation.ts [--runs 200] [--pairs 3000]
 *
 * One run: 40 prompts whose response pairs differ by a common direction plus noise of their own; from them the behaviour vector, its
 * stability and 64 null directions, by the code that culprit behavior runs. Pairs have noise vectors of unequal length. All noise
 * has a spectrum that falls as 1/rank over 64 dimensions. What the pairs have of the common direction is the row of the table; strengths
 * are in units of the noise's standard deviation along that direction.
 */
import { parseArgs } from "node:util";

import { compareWithNull } from "../src/attribution/null-comparison.ts";
import { createNullTally, tallyScores } from "../src/attribution/null-tally.ts";
import { diagnoseLayer } from "../src/behavior/diagnostics.ts";
import { meanDifference, pairWeights } from "../src/behavior/mean-difference.ts";
import { groupKeys } from "../src/behavior/prompt-groups.ts";
import { SIGNALS, signalVerdict } from "../src/evaluation/signal-verdict.ts";
import { createRng, type Rng } from "../src/util/rng.ts";
import { dot, norm } from "../src/util/vector.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "200" }, pairs: { type: "string", default: "3000" } },
});
const RUNS = Number(values.runs);
const PAIRS = Number(values.pairs);
const DIM = 64;
const PROMPTS = 40;
const SCALES = Float64Array.from({ length: DIM }, (_, j) => 1 / Math.sqrt(j + 1));

type Push = (pair: number, rng: Rng) => number;
/** What a pair has of the common direction. */
const ROWS: readonly (readonly [name: string, expected: string, push: Push, strength?: number])[] =
  [
    ["none", "no signal", () => 0],
    ["none, behaviour vector of noise", "no signal", () => 0, 0],
    ["0.5% planted at 6", "concentrated", (pair) => (pair < 0.005 * PAIRS ? 6 : 0)],
    ["2% planted at 4", "concentrated", (pair) => (pair < 0.02 * PAIRS ? 4 : 0)],
    ["5% planted at 3", "concentrated", (pair) => (pair < 0.05 * PAIRS ? 3 : 0)],
    ["5% planted at 2", "concentrated", (pair) => (pair < 0.05 * PAIRS ? 2 : 0)],
    ["all tilted by 1", "diffuse", () => 1],
    ["all tilted by 0.5", "diffuse", () => 0.5],
    ["all tilted by 0.25", "diffuse", () => 0.25],
    ["all tilted by 0.5 ± 1", "diffuse", (_, rng) => 0.5 + rng.normal()],
    ["spread ± 2, no tilt", "no signal", (_, rng) => 2 * rng.normal()],
    [
      "5% at 3 and 5% at -3",
      "concentrated",
      (pair) => (pair < 0.05 * PAIRS ? 3 : pair < 0.1 * PAIRS ? -3 : 0),
    ],
    [
      "all tilted by 0.5 and 5% at 3",
      "concentrated",
      (pair) => 0.5 + (pair < 0.05 * PAIRS ? 3 : 0),
    ],
  ];

function noise(rng: Rng): Float32Array {
  return Float32Array.from(SCALES, (scale) => scale * rng.normal());
}

/** A null direction without its part along the behaviour's, as culprit rank takes it. */
function acrossTo(vector: Float32Array, direction: Float32Array): Float32Array {
  return addTo(vector, direction, -dot(vector, direction) / dot(direction, direction));
}

function addTo(vector: Float32Array, direction: Float32Array, times: number): Float32Array {
  return vector.map((value, j) => value + times * direction[j]!);
}

/** A unit vector, and the standard deviation of the noise along it. */
function drawDirection(rng: Rng): { direction: Float32Array; sd: number } {
  const raw = noise(rng);
  const length = norm(raw);
  const direction = raw.map((value) => value / length);
  return { direction, sd: norm(Float64Array.from(direction, (value, j) => value * SCALES[j]!)) };
}

function simulate(push: Push, strength: number, rng: Rng): string {
  const { direction, sd } = drawDirection(rng);
  const responses = Array.from({ length: PROMPTS }, () =>
    addTo(noise(rng), direction, strength * sd),
  );
  const differences = Float32Array.from(responses.flatMap((row) => Array.from(row)));
  const prompts = groupKeys(responses.map((_, i) => `${i}`));
  const mean = meanDifference(differences, pairWeights(prompts, "rollout"));
  const { diagnostics, nulls } = diagnoseLayer(
    {
      layer: 1,
      differences,
      before: new Float32Array(differences.length),
      beforeNorms: new Float32Array(PROMPTS).fill(1),
      pairIds: prompts.labels,
      prompts,
      scenarios: prompts,
      weighting: "rollout",
    },
    mean,
    { seed: rng.integer(2 ** 31), splits: 50, flips: 100, nullDirections: 64 },
  );
  const columns = [
    mean,
    ...Array.from({ length: nulls!.length / DIM }, (_, n) =>
      acrossTo(nulls!.subarray(n * DIM, (n + 1) * DIM), mean),
    ),
  ];
  const scores = new Float32Array(PAIRS);
  const nullScores = new Float32Array(PAIRS * (columns.length - 1));
  const lengths = columns.map((column) => norm(column));
  for (let i = 0; i < PAIRS; i++) {
    // Pairs differ in how far their sides are apart.
    const size = Math.exp(0.5 * rng.normal());
    const vector = addTo(noise(rng), direction, push(i, rng) * sd).map((value) => value * size);
    const length = norm(vector);
    for (let c = 0; c < columns.length; c++) {
      const cosine = dot(vector, columns[c]!) / length / lengths[c]!;
      if (c === 0) scores[i] = cosine;
      else nullScores[i * (columns.length - 1) + c - 1] = cosine;
    }
  }
  const tally = createNullTally(columns.length - 1, 1);
  tallyScores(tally, nullScores, PAIRS);
  return signalVerdict({
    scorer: "cosine",
    doubt: diagnostics.doubt,
    scored: PAIRS,
    null: compareWithNull(scores, tally, "cosine"),
  })!.kind;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`| pairs have of the behaviour | expected | ${SIGNALS.join(" | ")} |`);
print("|---|---|---|---|---|");
for (const [row, [name, expected, push, strength]] of ROWS.entries()) {
  const rng = createRng(100 + row);
  const found = Array.from({ length: RUNS }, () => simulate(push, strength ?? 2, rng));
  const share = (kind: string): string =>
    `${((100 * found.filter((each) => each === kind).length) / RUNS).toFixed(1)}%`;
  print(`| ${name} | ${expected} | ${SIGNALS.map(share).join(" | ")} |`);
}
