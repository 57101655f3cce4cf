/**
 * @file How often the verdict on a ranking is right, over simulated behaviours and pairs.
 *
 *   npx tsx bench/verdict-simulation.ts [--runs 200] [--pairs 3000] [--scorer cosine] [--unrelated] [--rows TEXT]
 *
 * One run: 40 prompts whose response pairs differ by a common direction plus noise of their own; from them the behaviour vector, its
 * stability and 64 null directions, by the code that culprit behavior runs. Pairs have noise vectors of unequal length. All noise
 * has a spectrum that falls as 1/rank over 64 dimensions. What the pairs have of the common direction is the row of the table; strengths
 * are in units of the noise's standard deviation along that direction. With --unrelated the verdict is held to a second behaviour too, whose
 * direction and whose pairs the row tells. With --rows only the rows whose name holds the text.
 */
import { parseArgs } from "node:util";

import type { GroupScores } from "../src/attribution/group-scores.ts";
import type { ScoredBehavior } from "../src/attribution/method.ts";
import { createScoreGroup } from "../src/attribution/score-group.ts";
import { SCORER_TRAITS, SCORERS } from "../src/attribution/scorer.ts";
import { diagnoseLayer } from "../src/behavior/diagnostics.ts";
import { meanDifference, pairWeights } from "../src/behavior/mean-difference.ts";
import { groupKeys } from "../src/behavior/prompt-groups.ts";
import { SIGNALS, signalVerdict } from "../src/ranking/signal-verdict.ts";
import { compareUnrelated, tailSizes } from "../src/ranking/unrelated-null.ts";
import { createRng, type Rng } from "../src/util/rng.ts";
import { dot, norm } from "../src/util/vector.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "200" },
    pairs: { type: "string", default: "3000" },
    scorer: { type: "string", default: "cosine" },
    unrelated: { type: "boolean", default: false },
    rows: { type: "string", default: "" },
  },
});
const RUNS = Number(values.runs);
const PAIRS = Number(values.pairs);
const SCORER = SCORERS.find((name) => name === values.scorer) ?? "cosine";
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
    ["5% at 3 and 5% at -3", "concentrated", bothEnds(3)],
    [
      "all tilted by 0.5 and 5% at 3",
      "concentrated",
      (pair) => 0.5 + (pair < 0.05 * PAIRS ? 3 : 0),
    ],
    ["30% planted at 6", "concentrated", first(0.3, 6)],
    ["40% planted at 6", "concentrated", first(0.4, 6)],
    ["50% planted at 6", "diffuse", first(0.5, 6)],
    ["60% planted at 6", "diffuse", first(0.6, 6)],
    ["all tilted by -1", "no signal", () => -1],
  ];

/** Rows with an unrelated behaviour: what a pair has of its direction, and the cosine between the two. */
const UNRELATED: readonly (readonly [
  name: string,
  expected: string,
  push: Push,
  other: Push,
  cosine: number,
])[] = [
  ["5% at 3; nothing", "concentrated", first(0.05, 3), () => 0, 0],
  ["5% at 2; nothing", "concentrated", first(0.05, 2), () => 0, 0],
  ["nothing; 5% at 3", "no signal", () => 0, first(0.05, 3), 0],
  ["5% at 3; the same pairs at 3", "no signal", first(0.05, 3), first(0.05, 3), 0],
  ["5% at 3; 5% others at 3", "no signal", first(0.05, 3), last(0.05, 3), 0],
  ["5% at 3; 1% others at 3", "concentrated", first(0.05, 3), last(0.01, 3), 0],
  ["5% at 3; nothing, directions at cosine 0.3", "concentrated", first(0.05, 3), () => 0, 0.3],
  ["5% at 3; nothing, directions at cosine 0.9", "no signal", first(0.05, 3), () => 0, 0.9],
  ["5% at 3 and 5% at -3; nothing, cosine -0.5", "concentrated", bothEnds(3), () => 0, -0.5],
  ["5% at 3 and 5% at -3; nothing, cosine -0.9", "concentrated", bothEnds(3), () => 0, -0.9],
  ["5% at 3 and 5% at -3; 5% others at 3", "no signal", bothEnds(3), last(0.05, 3), 0],
  ["all tilted by 1; nothing", "diffuse", () => 1, () => 0, 0],
  ["all tilted by 1; all tilted by 1", "no signal", () => 1, () => 1, 0],
];

function first(share: number, push: number): Push {
  return (pair) => (pair < share * PAIRS ? push : 0);
}

/** A twentieth of the pairs for the behaviour, and another against it. */
function bothEnds(push: number): Push {
  return (pair) => (pair < 0.05 * PAIRS ? push : pair < 0.1 * PAIRS ? -push : 0);
}

function last(share: number, push: number): Push {
  return (pair) => (pair >= (1 - share) * PAIRS ? push : 0);
}

function noise(rng: Rng): Float32Array {
  return Float32Array.from(SCALES, (scale) => scale * rng.normal());
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

interface Direction {
  readonly direction: Float32Array;
  readonly sd: number;
}

/** A behaviour made from response pairs along a direction, as culprit behavior makes it; undefined as doubt where it is stable. */
function makeBehavior(
  { direction, sd }: Direction,
  strength: number,
  rng: Rng,
): { readonly behavior: ScoredBehavior; readonly doubt: string | undefined } {
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
  const behavior = {
    name: "behavior",
    identity: { checkpointHash: "", tokenizerHash: "", templateHash: "" },
    dim: DIM,
    layers: [1],
    directions: new Map([[1, mean]]),
    bank: new Map([[1, differences]]),
    scenarioIds: prompts.labels,
    nullDirections: new Map([[1, nulls!]]),
    head: { doubts: {}, layerChoice: { kind: "chosen", layer: 1, reason: "" } as const },
  };
  return { behavior, doubt: diagnostics.doubt };
}

function score(behavior: ScoredBehavior, vectors: readonly Float32Array[]): GroupScores {
  const norms = Float32Array.from(vectors, norm);
  const { isCentred } = SCORER_TRAITS[SCORER];
  const mean = Float32Array.from(
    { length: DIM },
    (_, j) => vectors.reduce((sum, vector) => sum + vector[j]!, 0) / PAIRS,
  );
  const centred = isCentred ? vectors.map((vector) => addTo(vector, mean, -1)) : vectors;
  const group = createScoreGroup(behavior, {
    layer: 1,
    scorer: SCORER,
    nullDirections: 64,
    norms,
    mean: isCentred ? mean : undefined,
  });
  const stride = group.columns.length;
  const products = new Float32Array(PAIRS * stride);
  for (const [row, vector] of centred.entries()) {
    for (const [c, column] of group.columns.entries()) {
      products[row * stride + c] = dot(vector, column);
    }
  }
  const block = { products, stride, firstRow: 0, rows: PAIRS, squares: undefined };
  group.take(block, 0, Float32Array.from(centred, norm));
  return group.finish();
}

interface Setting {
  readonly push: Push;
  readonly strength: number;
  readonly other?: { readonly push: Push; readonly cosine: number };
}

function simulate({ push, strength, other }: Setting, rng: Rng): string {
  const main = drawDirection(rng);
  const second = other === undefined ? undefined : turnedFrom(main, other.cosine, rng);
  const { behavior, doubt } = makeBehavior(main, strength, rng);
  const unrelated = second === undefined ? undefined : makeBehavior(second, 2, rng);
  const vectors = Array.from({ length: PAIRS }, (_, i) => {
    // Pairs differ in how far their sides are apart.
    const size = Math.exp(0.5 * rng.normal());
    const own = addTo(noise(rng), main.direction, push(i, rng) * main.sd);
    const both =
      second === undefined ? own : addTo(own, second.direction, other!.push(i, rng) * second.sd);
    return both.map((value) => value * size);
  });
  const found = score(behavior, vectors);
  const others = unrelated === undefined ? undefined : score(unrelated.behavior, vectors);
  return signalVerdict({
    // Bank-max has no verdict; what it would be is why.
    hasVerdict: true,
    doubt,
    scored: PAIRS,
    null: found.null,
    unrelated:
      others === undefined
        ? []
        : [
            compareUnrelated(
              found.scores,
              { ...others, behavior: "other", doubt: unrelated!.doubt, cosine: 0 },
              tailSizes(found.null!.signal, PAIRS),
            ),
          ],
  })!.kind;
}

/** A direction at a cosine from another one. */
function turnedFrom({ direction }: Direction, cosine: number, rng: Rng): Direction {
  const { direction: drawn } = drawDirection(rng);
  const across = addTo(drawn, direction, -dot(drawn, direction));
  const turned = addTo(
    across.map((value) => (value * Math.sqrt(1 - cosine * cosine)) / norm(across)),
    direction,
    cosine,
  );
  return { direction: turned, sd: norm(Float64Array.from(turned, (v, j) => v * SCALES[j]!)) };
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const settings = values.unrelated
  ? UNRELATED.map(([name, expected, push, other, cosine]) => {
      return { name, expected, push, strength: 2, other: { push: other, cosine } };
    })
  : ROWS.map(([name, expected, push, strength = 2]) => ({ name, expected, push, strength }));
print(
  `| pairs have of the behaviour${values.unrelated ? "; of the unrelated one" : ""} | expected | ${SIGNALS.join(" | ")} |`,
);
print("|---|---|---|---|---|");
for (const [row, { name, expected, ...setting }] of settings.entries()) {
  if (!name.includes(values.rows)) continue;
  const rng = createRng(100 + row);
  const found = Array.from({ length: RUNS }, () => simulate(setting, rng));
  const share = (kind: string): string =>
    `${((100 * found.filter((each) => each === kind).length) / RUNS).toFixed(1)}%`;
  print(`| ${name} | ${expected} | ${SIGNALS.map(share).join(" | ")} |`);
}
