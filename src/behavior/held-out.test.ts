import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { createRng, type Rng } from "../util/rng.ts";
import { drawFolds, measureHeldOut, pooledAuroc, shareInterval } from "./held-out.ts";
import { allMembers, type LabelledRows } from "./labelled-rows.ts";
import { groupKeys } from "./prompt-groups.ts";

interface GoldenAuroc {
  readonly scores: number[];
  readonly labels: number[];
  readonly weights: number[];
  readonly plain: number;
  readonly weighted: number;
}

const golden = (
  JSON.parse(
    readFileSync(new URL("../../test/golden/probes/probes.json", import.meta.url), "utf8"),
  ) as { readonly auroc: GoldenAuroc }
).auroc;

it("the area under the ROC curve is scikit-learn's, with ties and with weights", () => {
  const order = golden.scores
    .map((_, i) => i)
    .toSorted((a, b) => golden.scores[a]! - golden.scores[b]!);
  const rows = {
    scores: Float64Array.from(order, (i) => golden.scores[i]!),
    labels: Uint8Array.from(order, (i) => golden.labels[i]!),
    prompts: Int32Array.from(order),
  };
  expect(
    pooledAuroc(
      [rows],
      golden.labels.map(() => 1),
    ),
  ).toBeCloseTo(golden.plain, 12);
  expect(pooledAuroc([rows], golden.weights)).toBeCloseTo(golden.weighted, 12);
  // Two folds with the same rows, one with its scores moved: only comparisons within folds count.
  const moved = { ...rows, scores: rows.scores.map((score) => score + 100) };
  expect(
    pooledAuroc(
      [rows, moved],
      golden.labels.map(() => 1),
    ),
  ).toBeCloseTo(golden.plain, 12);
});

it("folds keep the rows of a prompt together and hold about as many prompts each", () => {
  const prompts = groupKeys(Array.from({ length: 33 }, (_, i) => `${i % 11}`));
  const members = Int32Array.from({ length: 33 }, (_, i) => i);
  const folds = drawFolds(prompts, members, { folds: 5, rng: createRng(1) });
  const sizes = [0, 0, 0, 0, 0];
  for (let i = 0; i < 11; i++) {
    expect(new Set([0, 11, 22].map((step) => folds.of[i + step])).size).toBe(1);
    sizes[folds.of[i]!]! += 1;
  }
  expect(sizes.toSorted((a, b) => a - b)).toEqual([2, 2, 2, 2, 3]);
  expect(drawFolds(prompts, members, { folds: 5, rng: createRng(1) })).toEqual(folds);
  expect(drawFolds(prompts, members, { folds: 5, rng: createRng(2) })).not.toEqual(folds);
  expect(drawFolds(prompts, members.slice(0, 3), { folds: 5, rng: createRng(2) }).count).toBe(3);
});

it("an area of 1 has an interval, wider for fewer prompts", () => {
  const few = shareInterval(1, 0, 10);
  expect(few).toEqual({ low: expect.closeTo(0.912, 3) as number, high: 1 });
  expect(shareInterval(1, 0, 100).low).toBeGreaterThan(few.low);
  expect(shareInterval(0, 0, 10).high).toBeCloseTo(1 - few.low, 12);
  // 0.25 / 0.01 = 25 comparisons.
  expect(shareInterval(0.5, 0.01, 100).low).toBeCloseTo(0.3175, 4);
});

it.each([
  [0, 0.5],
  [2, 0.9214],
  [4, 0.9977],
])("95%% intervals of an area with step %s cover the true one", (step, truth) => {
  const rng = createRng(3);
  let covered = 0;
  for (let sample = 0; sample < 200; sample++) {
    const rows = drawScores(30, step, rng);
    const folds = drawFolds(rows.prompts, allMembers(rows), { folds: 5, rng });
    const found = measureHeldOut(
      rows,
      folds,
      Array.from({ length: 5 }, () => [1]),
      rng,
    );
    if (found.kind !== "measured") throw new Error(found.reason);
    if (found.low <= truth && truth <= found.high) covered++;
  }
  // Binomial(200, 0.95) is at least 180 in 999 of 1000 cases; several responses of a prompt make the intervals wide.
  expect(covered).toBeGreaterThanOrEqual(180);
});

it("says why there is none for three prompts", () => {
  const rows = drawScores(3, 1, createRng(1));
  const folds = drawFolds(rows.prompts, allMembers(rows), { folds: 5, rng: createRng(1) });
  expect(measureHeldOut(rows, folds, [[1], [1], [1]], createRng(1))).toEqual({
    kind: "not-computed",
    reason: "too few prompts: 3, at least 4 are needed",
  });
});

/** One dimension, whose numbers are the scores: N(0, 1), after-rows `step` further; one pair of rows a prompt. */
function drawScores(prompts: number, step: number, rng: Rng): LabelledRows {
  const keys = Array.from({ length: 2 * prompts }, (_, i) => `${i % prompts}`);
  const labels = Uint8Array.from(keys, (_, i) => (i < prompts ? 0 : 1));
  return {
    dim: 1,
    rows: Float32Array.from(labels, (label) => rng.normal() + label * step),
    labels,
    prompts: groupKeys(keys),
    weights: new Float64Array(keys.length).fill(1),
  };
}
