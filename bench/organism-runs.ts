/**
 * @file What the runs of a model organism say, seed by seed, as the tables of docs/organisms.md.
 *
 *   npx culprit demo --seeds 5 --out culprit-out/five-seeds
 *   npx tsx bench/organism-runs.ts culprit-out/five-seeds
 *
 * Reads DIR/result.json alone. Each rate is the share of rollouts that show the behaviour; the spread is that of the training seeds.
 */
import { join } from "node:path";

import { RESULT } from "../src/index.ts";

const [dir] = process.argv.slice(2);
const result = dir === undefined ? undefined : await RESULT.find(join(dir, RESULT.name));
if (result?.evaluation === undefined) {
  process.stderr.write("organism-runs: expected the folder of a finished culprit run or demo\n");
  process.exit(2);
}
const { evaluation } = result;

for (const { variant, arms } of evaluation.variants) {
  const baseline = arms.find(({ arm }) => arm === evaluation.baseline)!;
  const seeds = baseline.bySeed.map(({ seed }) => seed);
  const head = ["arm", ...seeds.map((seed) => `seed ${seed}`), "mean", "SD", "reduction"];
  print(`\n${variant}\n`, row(head), row(head.map(() => "---")));
  for (const { arm, bySeed } of arms) {
    const rates = bySeed.map(({ rate }) => rate ?? NaN);
    const cells = rates.length === seeds.length ? rates : seeds.map(() => NaN);
    const of = mean(baseline.bySeed.map(({ rate }) => rate ?? NaN));
    const reduction = cells.length > 0 && of > 0 ? percent(1 - mean(rates) / of) : "";
    const spread = rates.length > 1 ? percent(deviation(rates)) : "";
    print(row([arm, ...cells.map(percent), percent(mean(rates)), spread, reduction]));
  }
}

const measures = [...new Set(evaluation.measures.map(({ measure }) => measure))];
print(
  "\ncapabilities (mean over seeds)\n",
  row(["arm", ...measures]),
  row(["---", ...measures.map(() => "---")]),
);
for (const arm of new Set(evaluation.measures.map((each) => each.arm))) {
  const values = measures.map((measure) => {
    const found = evaluation.measures.find((each) => each.arm === arm && each.measure === measure);
    return found?.summary === undefined ? "" : found.summary.mean.toFixed(3);
  });
  print(row([arm, ...values]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1),
  );
}

function percent(value: number): string {
  return Number.isNaN(value) ? "" : `${(100 * value).toFixed(1)}%`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}
