/**
 * @file How often the 95% intervals of judge-corrected rates hold the truth, over simulated experiments.
 *
 *   npx tsx bench/corrected-rate-coverage.ts [--experiments 2000] [--quick] [--second]
 *
 * An experiment: P prompts with m rollouts each, a prompt's logit normal around that of the rate; a judge with sensitivity and
 * specificity whose errors vary by prompt (logit SD 1); people label n rollouts drawn by chance. Beside the two corrections stand the
 * yardsticks on the same experiments: the labelled rollouts alone, and the judge's rate as it is. Width is the mean width in
 * points; `attainable` is the coverage nearest to 95% that an interval by the number of labelled rollouts that show it could have; `--second` takes
 * designs that nothing was tuned on; `none` the share of experiments in which there is no Rogan-Gladen rate, which count for nothing.
 */
import { parseArgs } from "node:util";

import { correctedRates } from "../src/rates/corrected-rates.ts";
import { CELL_COUNTS, type JudgeCells } from "../src/rates/judge-cells.ts";
import { createRng, type Rng } from "../src/util/rng.ts";
import { attainable, Counter } from "./attainable.ts";

const { values } = parseArgs({
  options: {
    experiments: { type: "string", default: "2000" },
    quick: { type: "boolean", default: false },
    second: { type: "boolean", default: false },
  },
});
const EXPERIMENTS = Number(values.experiments);
const ERROR_SD = 1;

interface Design {
  readonly prompts: number;
  readonly samples: number;
  readonly labels: number;
  /** A pair is drawn from uniformly, anew for each experiment. */
  readonly rate: number | readonly [number, number];
  readonly promptSd: number;
  readonly sensitivity: number;
  readonly specificity: number;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
/** Nodes for means over a standard normal: a fine grid of its density. */
const NODES = Array.from({ length: 161 }, (_, i) => {
  const z = (i - 80) / 16;
  return { z, weight: Math.exp((-z * z) / 2) / 16 / Math.sqrt(2 * Math.PI) };
});

/** The logit around which a normal one has the mean `rate`; kept by rate and spread. */
function interceptOf(rate: number, sd: number): number {
  let [low, high] = [-40, 40];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    const mean = NODES.reduce((sum, { z, weight }) => sum + weight * logistic(middle + sd * z), 0);
    if (mean < rate) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function draw(design: Design, rate: number, rng: Rng): JudgeCells {
  const { prompts, samples, labels, promptSd, sensitivity, specificity } = design;
  const cells = {
    prompts,
    bothShow: new Float64Array(prompts),
    judgeOnly: new Float64Array(prompts),
    personOnly: new Float64Array(prompts),
    neither: new Float64Array(prompts),
    unlabelledShow: new Float64Array(prompts),
    unlabelledNot: new Float64Array(prompts),
  } satisfies JudgeCells;
  const truthAt = interceptOf(rate, promptSd);
  const missAt = interceptOf(1 - sensitivity, ERROR_SD);
  const alarmAt = interceptOf(1 - specificity, ERROR_SD);
  const isLabelled = new Uint8Array(prompts * samples);
  for (let left = labels; left > 0;) {
    const i = rng.integer(isLabelled.length);
    if (isLabelled[i] === 1) continue;
    isLabelled[i] = 1;
    left--;
  }
  for (let p = 0; p < prompts; p++) {
    const shows = logistic(truthAt + promptSd * rng.normal());
    const miss = logistic(missAt + ERROR_SD * rng.normal());
    const alarm = logistic(alarmAt + ERROR_SD * rng.normal());
    for (let i = 0; i < samples; i++) {
      const truth = rng.uniform() < shows;
      const judge = rng.uniform() < (truth ? 1 - miss : alarm);
      const known = isLabelled[p * samples + i] === 1;
      const column = known ? (truth ? (judge ? 0 : 2) : judge ? 1 : 3) : judge ? 4 : 5;
      cells[CELL_COUNTS[column]][p]!++;
    }
  }
  return cells;
}

const percent = (value: number): string => (100 * value).toFixed(1);

const NAMES = ["people", "judge", "roganGladen", "ppi"] as const;
/** Shares held, of every row. */
const rows: { readonly isRare: boolean; readonly shares: readonly number[] }[] = [];

/** How many rows are below, within and above 93–97%. */
function summary(isRare: boolean, name: number): string {
  const shares = rows.filter((row) => row.isRare === isRare).map((row) => row.shares[name]!);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const below = shares.filter((share) => share < 0.93).length;
  const above = shares.filter((share) => share > 0.97).length;
  return `${percent(low)}–${percent(high)} | ${shares.length - below - above} | ${below} | ${above}`;
}

function simulate(design: Design, rng: Rng): string {
  const held = NAMES.map(() => ({ yes: 0, of: 0, width: 0 }));
  const labelled = new Counter();
  for (let n = 0; n < EXPERIMENTS; n++) {
    const { rate } = design;
    const truth = typeof rate === "number" ? rate : rate[0] + rng.uniform() * (rate[1] - rate[0]);
    const rates = correctedRates(draw(design, truth, rng));
    labelled.add(rates.people.shows);
    for (const [i, name] of NAMES.entries()) {
      const { low, high } = rates[name];
      if (low === undefined || high === undefined) continue;
      held[i]!.of++;
      held[i]!.width += high - low;
      if (low <= truth && truth <= high) held[i]!.yes++;
    }
  }
  const cells = held.map(({ yes, of, width }) =>
    of === 0 ? "-" : `${percent(yes / of)} (${percent(width / of)})`,
  );
  const isRare = typeof design.rate !== "number" || design.rate <= 0.01;
  // At a rate of exactly 0 whatever starts at 0 holds it always: printed, not counted.
  if (design.rate !== 0) rows.push({ isRare, shares: held.map(({ yes, of }) => yes / of) });
  const rate =
    typeof design.rate === "number"
      ? `${percent(design.rate)}%`
      : `${percent(design.rate[0])}–${percent(design.rate[1])}%`;
  return `| ${design.prompts} × ${design.samples} | ${design.labels} | ${rate} | ${design.promptSd} | ${design.sensitivity} / ${design.specificity} | ${cells.join(" | ")} | ${typeof design.rate === "number" ? percent(attainable(labelled)) : "-"} | ${percent(1 - held[2]!.of / EXPERIMENTS)} |`;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(
  "| prompts × rollouts | labels | rate | prompt SD | sensitivity / specificity | people (width) | judge (width) | Rogan-Gladen (width) | PPI++ (width) | attainable (people) | none |",
);
print("|---|---|---|---|---|---|---|---|---|---|---|");
const rng = createRng(29);
/** Tried and tuned on. */
const GRID_OF_DESIGNS = {
  sizes: [
    [100, 10, 200],
    [100, 10, 400],
    [40, 10, 100],
  ],
  rates: [[0, 0.01], 0.002, 0.005, 0.01, 0.05, 0.2, 0.5],
  promptSds: [0.5, 2],
  judges: [
    [0.9, 0.98],
    [0.7, 0.9],
  ],
} as const;
/** Looked at once, at the end. */
const SECOND_GRID = {
  sizes: [
    [60, 20, 150],
    [250, 4, 300],
  ],
  rates: [0, [0, 0.01], 0.0035, 0.03, 0.1, 0.35],
  promptSds: [1.2],
  judges: [
    [0.95, 0.995],
    [0.8, 0.95],
    [0.5, 0.97],
  ],
} as const;
const grid = values.second ? SECOND_GRID : GRID_OF_DESIGNS;
for (const [prompts, samples, labels] of values.quick ? [grid.sizes[0]] : grid.sizes) {
  for (const rate of grid.rates) {
    for (const promptSd of grid.promptSds) {
      for (const [sensitivity, specificity] of grid.judges) {
        print(
          simulate(
            {
              prompts,
              samples,
              labels,
              rate,
              promptSd,
              sensitivity,
              specificity,
            },
            rng,
          ),
        );
      }
    }
  }
}
print("");
print("| | rates | share held, in % | rows within 93–97 | below | above |");
print("|---|---|---|---|---|---|");
for (const [i, name] of NAMES.entries()) {
  for (const isRare of [true, false]) {
    print(`| ${name} | ${isRare ? "0–1%" : "5–50%"} | ${summary(isRare, i)} |`);
  }
}
