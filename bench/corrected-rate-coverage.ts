/**
 * @file How often the 95% intervals of judge-corrected rates hold the truth, over simulated experiments.
 *
 *   npx tsx bench/corrected-rate-coverage.ts [--experiments 2000] [--quick]
 *
 * An experiment: P prompts with m rollouts each, a prompt's logit normal around that of the rate; a judge with sensitivity and
 * specificity whose errors vary by prompt (logit SD 1); people label n rollouts drawn by chance. Beside the two corrections stand the
 * yardsticks on the same experiments: the labelled rollouts alone, and the judge's rate as it is. Width is the mean width in
 * points; `none` the share of experiments in which there is no Rogan-Gladen rate, which count for nothing.
 */
import { parseArgs } from "node:util";

import { correctedRates } from "../src/evaluation/corrected-rates.ts";
import { CELL_COUNTS, type JudgeCells } from "../src/evaluation/judge-cells.ts";
import { createRng, type Rng } from "../src/util/rng.ts";

const { values } = parseArgs({
  options: {
    experiments: { type: "string", default: "2000" },
    quick: { type: "boolean", default: false },
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
  for (let n = 0; n < EXPERIMENTS; n++) {
    const { rate } = design;
    const truth = typeof rate === "number" ? rate : rate[0] + rng.uniform() * (rate[1] - rate[0]);
    const rates = correctedRates(draw(design, truth, rng));
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
  rows.push({ isRare, shares: held.map(({ yes, of }) => yes / of) });
  const rate =
    typeof design.rate === "number"
      ? `${percent(design.rate)}%`
      : `${percent(design.rate[0])}–${percent(design.rate[1])}%`;
  return `| ${design.prompts} × ${design.samples} | ${design.labels} | ${rate} | ${design.promptSd} | ${design.sensitivity} / ${design.specificity} | ${cells.join(" | ")} | ${percent(1 - held[2]!.of / EXPERIMENTS)} |`;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(
  "| prompts × rollouts | labels | rate | prompt SD | sensitivity / specificity | people (width) | judge (width) | Rogan-Gladen (width) | PPI++ (width) | none |",
);
print("|---|---|---|---|---|---|---|---|---|---|");
const rng = createRng(29);
const sizes = values.quick
  ? [[100, 10, 200]]
  : [
      [100, 10, 200],
      [100, 10, 400],
      [40, 10, 100],
    ];
for (const [prompts, samples, labels] of sizes) {
  for (const rate of [[0, 0.01], 0.002, 0.005, 0.01, 0.05, 0.2, 0.5] as const) {
    for (const promptSd of [0.5, 2]) {
      for (const [sensitivity, specificity] of [
        [0.9, 0.98],
        [0.7, 0.9],
      ]) {
        print(
          simulate(
            {
              prompts: prompts!,
              samples: samples!,
              labels: labels!,
              rate,
              promptSd,
              sensitivity: sensitivity!,
              specificity: specificity!,
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
