/**
 * @file How often the 95% intervals of `culprit quality` hold the truth, over simulated rankings.
 *
 *   npx tsx bench/quality-coverage.ts [--samples 2000] [--most 10000] [--shapes alike,wide]
 *
 * Planted pairs score N(a, s²), others N(0, 1); a gives the AUROC of the row. `alike`: s = 1; `wide`: s = 2; `narrow`: s = 0.5. The true
 * average precision and recall are those of endlessly many pairs with the same share planted. `--most` leaves out designs of more pairs.
 */
import { parseArgs } from "node:util";

import { createRng } from "../src/util/rng.ts";
import { coverageOf, SHAPES } from "./quality-simulation.ts";

const { values } = parseArgs({
  options: {
    samples: { type: "string", default: "2000" },
    most: { type: "string", default: "10000" },
    shapes: { type: "string", default: Object.keys(SHAPES).join(",") },
  },
});
const SAMPLES = Number(values.samples);
const SIZES = [
  [24, 24],
  [24, 240],
  [24, 4800],
  [100, 100],
  [100, 2000],
  [400, 400],
  [400, 8000],
] as const;
const AREAS = [0.8, 0.95, 0.99, 0.998, 0.999];

const percent = (share: number): string => (100 * share).toFixed(1);
const print = (cells: readonly (string | number)[]): void => {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
};

print(["shape", "planted", "others", "true AUROC", "AUROC", "average precision", "recall"]);
print(["---", "---", "---", "---", "---", "---", "---"]);
for (const shape of values.shapes.split(",")) {
  const spread = SHAPES[shape];
  if (spread === undefined) throw new Error(`shapes: expected ${Object.keys(SHAPES).join(", ")}`);
  for (const [planted, others] of SIZES) {
    if (planted + others > Number(values.most)) continue;
    for (const auroc of AREAS) {
      const held = coverageOf({ planted, others, auroc, spread }, SAMPLES, createRng(7));
      const shares = [held.auroc, held.averagePrecision, held.recall].map(percent);
      print([shape, planted, others, auroc, ...shares]);
    }
  }
}
