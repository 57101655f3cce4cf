/**
 * @file How often the 95% intervals of rates, differences and reductions hold the truth, over simulated experiments.
 *
 *   npx tsx bench/interval-coverage.ts [--experiments 2000] [--bootstrap 400] [--prompts 120|40] [--second]
 *
 * An experiment: P prompts, S training seeds for each of three arms, m rollouts for each. A prompt's and a seed's logit are normal
 * around the arm's; a prompt's logits in two arms correlate by 0.8, seeds do not. The reference has the rate of the row, one arm
 * 40% of it, one arm the same rate. `--prompts` takes one of the two sizes of the grid, `--second` the designs that nothing was tuned on.
 * `attainable` is the coverage nearest to 95% that any interval with rising ends could have by the number of rollouts, or of prompts,
 * that show it: that of a contiguous set of numbers (only rates that are fixed have one). The yardstick is the percentile bootstrap over prompts and seeds on the same experiments.
 */
import { parseArgs } from "node:util";

import { compareIntervals } from "../src/rates/compare-rates.ts";
import { clusterBootstrap } from "../src/stats/cluster-bootstrap.ts";
import { clusteredRate, type RateCells } from "../src/stats/clustered-rate.ts";
import { createRng, type Rng } from "../src/util/rng.ts";
import { attainable, Counter } from "./attainable.ts";

const { values } = parseArgs({
  options: {
    experiments: { type: "string", default: "2000" },
    bootstrap: { type: "string", default: "400" },
    prompts: { type: "string" },
    second: { type: "boolean", default: false },
  },
});
const EXPERIMENTS = Number(values.experiments);
const REPLICATES = Number(values.bootstrap);
/** The share of the reference's rate that is left in the second arm. */
const LEFT = 0.4;
const SHARED = 0.8;

interface Design {
  readonly prompts: number;
  readonly samples: number;
  readonly seeds: number;
  /** The reference's rate; from a pair one of 20 values between is drawn, anew for each experiment. */
  readonly rate: number | readonly [number, number];
  readonly promptSd: number;
  readonly seedSd: number;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Normal quantiles at the middles of 200 equal parts, by bisection of a series for the distribution. */
const GRID = Array.from({ length: 200 }, (_, i) => {
  let low = -8;
  let high = 8;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < (i + 0.5) / 200) low = middle;
    else high = middle;
  }
  return low;
});

function normalCdf(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) sum += term *= (x * x) / (2 * k + 1);
  return Math.min(1, Math.max(0, 0.5 + sum * Math.exp((-x * x) / 2 - 0.9189385332046727)));
}

const intercepts = new Map<string, number>();

/** The mean of a logit-normal distribution is `rate`. */
function interceptOf(rate: number, sd: number): number {
  const key = `${rate} ${sd}`;
  const found = intercepts.get(key) ?? solveIntercept(rate, sd);
  intercepts.set(key, found);
  return found;
}

function solveIntercept(rate: number, sd: number): number {
  let low = -40;
  let high = 40;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const mean = GRID.reduce((sum, z) => sum + logistic(middle + sd * z), 0) / GRID.length;
    if (mean < rate) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** How many of `of` show it, by inversion. */
function binomial(of: number, chance: number, rng: Rng): number {
  let left = rng.uniform();
  let share = (1 - chance) ** of;
  let count = 0;
  while (left >= share && count < of) {
    left -= share;
    share *= ((of - count) / (count + 1)) * (chance / (1 - chance));
    count++;
  }
  return count;
}

function drawArm(design: Design, rate: number, common: Float64Array, rng: Rng): RateCells {
  const { prompts, samples, seeds, promptSd, seedSd } = design;
  const intercept = interceptOf(rate, Math.hypot(promptSd, seedSd));
  const effects = common.map(
    (effect) => promptSd * (Math.sqrt(SHARED) * effect + Math.sqrt(1 - SHARED) * rng.normal()),
  );
  const shows = new Float64Array(seeds * prompts);
  for (let s = 0; s < seeds; s++) {
    const seed = seedSd * rng.normal();
    for (let p = 0; p < prompts; p++) {
      const chance = logistic(intercept + effects[p]! + seed);
      shows[s * prompts + p] = binomial(samples, chance, rng);
    }
  }
  return { seeds, prompts, shows, judged: new Float64Array(seeds * prompts).fill(samples) };
}

function promptsThatShow({ seeds, prompts, shows }: RateCells): number {
  let count = 0;
  for (let p = 0; p < prompts; p++) {
    let s = 0;
    while (s < seeds && shows[s * prompts + p] === 0) s++;
    if (s < seeds) count++;
  }
  return count;
}

/** Shares held and false alarms, of every row. */
const rows: { readonly design: Design; readonly shares: readonly number[] }[] = [];

/** How many rows are below, within and above 93–97%. */
function summary(name: number, isCounted: (design: Design) => boolean): string {
  const shares = rows
    .filter(({ design, shares: all }) => isCounted(design) && !Number.isNaN(all[name]))
    .map((row) => row.shares[name]!);
  if (shares.length === 0) return "- | - | - | -";
  const below = shares.filter((share) => share < 0.93).length;
  const above = shares.filter((share) => share > 0.97).length;
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map((share) =>
    (100 * share).toFixed(1),
  );
  return `${low}–${high} | ${shares.length - below - above} | ${below} | ${above}`;
}

const NAMES = ["rate", "bootstrap", "difference", "bootstrap", "reduction", "bootstrap"] as const;
const COLUMNS = NAMES.map((_, i) => i).filter((i) => REPLICATES > 0 || NAMES[i] !== "bootstrap");

function simulate(design: Design, rng: Rng): string {
  const held = NAMES.map(() => ({ yes: 0, of: 0 }));
  let falseAlarms = 0;
  const [rollouts, prompts] = [new Counter(), new Counter()];
  const count = (
    i: number,
    interval: { low?: number | undefined; high?: number | undefined } | undefined,
    truth: number,
  ): void => {
    if (interval === undefined) return;
    held[i]!.of++;
    if ((interval.low ?? -Infinity) <= truth && truth <= (interval.high ?? Infinity))
      held[i]!.yes++;
  };
  for (let n = 0; n < EXPERIMENTS; n++) {
    const rate =
      typeof design.rate === "number"
        ? design.rate
        : // Twenty steps of the range, each half a step off its ends.
          design.rate[0] + ((rng.integer(20) + 0.5) / 20) * (design.rate[1] - design.rate[0]);
    const common = Float64Array.from({ length: design.prompts }, () => rng.normal());
    const reference = drawArm(design, rate, common, rng);
    const less = drawArm(design, rate * LEFT, common, rng);
    const same = drawArm(design, rate, common, rng);
    const comparison = compareIntervals(less, reference)!;
    count(0, clusteredRate(reference), rate);
    rollouts.add(reference.shows.reduce((sum, shows) => sum + shows, 0));
    prompts.add(promptsThatShow(reference));
    count(2, comparison, rate * LEFT - rate);
    count(4, comparison.reduction, 1 - LEFT);
    const { low, high } = compareIntervals(same, reference)!;
    if (low > 0 || high < 0) falseAlarms++; // as p < 0.05
    if (REPLICATES > 0) {
      const [, arm] = clusterBootstrap([reference, less], { rng, replicates: REPLICATES });
      const [own] = clusterBootstrap([reference], { rng, replicates: REPLICATES });
      count(1, own!.rate, rate);
      count(3, arm!.difference, rate * LEFT - rate);
      count(5, arm!.reduction, 1 - LEFT);
    }
  }
  rows.push({ design, shares: held.map(({ yes, of }) => yes / of) });
  const percent = (value: number): string => (100 * value).toFixed(1);
  const cells = COLUMNS.map((i) => held[i]!).map(({ yes, of }) =>
    of === 0 ? "-" : percent(yes / of),
  );
  const rateName =
    typeof design.rate === "number"
      ? `${percent(design.rate)}%`
      : `${percent(design.rate[0])}–${percent(design.rate[1])}%`;
  return `| ${design.prompts} × ${design.samples} | ${design.seeds} | ${rateName} | ${design.promptSd} | ${design.seedSd} | ${cells.join(" | ")} | ${typeof design.rate === "number" ? percent(attainable(rollouts, prompts)) : "-"} | ${percent(falseAlarms / EXPERIMENTS)} |`;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(
  `| prompts × rollouts | seeds | rate | prompt SD | seed SD | ${COLUMNS.map((i) => NAMES[i]).join(" | ")} | attainable (rate) | p < 0.05, no difference |`,
);
print(`|---|---|---|---|---|${COLUMNS.map(() => "---|").join("")}---|---|`);
const rng = createRng(17);
/** Tried and tuned on. */
const GRID_OF_DESIGNS = {
  sizes: [
    [120, 10],
    [40, 8],
  ],
  rates: [[0, 0.01], 0.002, 0.005, 0.01, 0.05, 0.2, 0.5],
  seeds: [1, 3, 5],
  promptSds: [0.5, 2],
  seedSds: [0, 0.3],
} as const;
/** Looked at once, at the end. */
const SECOND_GRID = {
  sizes: [
    [200, 4],
    [60, 20],
  ],
  rates: [[0, 0.01], 0.0035, 0.03, 0.1, 0.35],
  seeds: [1, 2, 4, 8],
  promptSds: [1.2],
  seedSds: [0, 0.15, 0.7],
} as const;
const grid = values.second ? SECOND_GRID : GRID_OF_DESIGNS;
for (const [prompts, samples] of grid.sizes) {
  if (values.prompts !== undefined && Number(values.prompts) !== prompts) continue;
  for (const rate of grid.rates) {
    for (const seeds of grid.seeds) {
      for (const promptSd of grid.promptSds) {
        for (const seedSd of seeds === 1 ? [0] : grid.seedSds) {
          print(simulate({ prompts, samples, seeds, rate, promptSd, seedSd }, rng));
        }
      }
    }
  }
}
print("");
print("| | rows | share held, in % | within 93–97 | below | above |");
print("|---|---|---|---|---|---|");
const isRare = ({ rate }: Design): boolean => typeof rate !== "number" || rate <= 0.01;
for (const [i, name] of NAMES.entries()) {
  if (REPLICATES === 0 && name === "bootstrap") continue;
  print(`| ${name} | one seed, 0–1% | ${summary(i, (d) => d.seeds === 1 && isRare(d))} |`);
  print(`| ${name} | one seed, 5–50% | ${summary(i, (d) => d.seeds === 1 && !isRare(d))} |`);
  print(`| ${name} | several seeds, 0–1% | ${summary(i, (d) => d.seeds > 1 && isRare(d))} |`);
  print(`| ${name} | several seeds, 5–50% | ${summary(i, (d) => d.seeds > 1 && !isRare(d))} |`);
}
