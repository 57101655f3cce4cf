import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { RopeScaling } from "../model/rope.ts";
import type { TokenizedExample } from "./engine.ts";
import { planBatches, type PlanLimits, planWholeExamples } from "./plan-batches.ts";

const DYNAMIC: RopeScaling = { kind: "dynamic", theta: 100, factor: 2, maxPositions: 30 };

const lengths = fc.record({
  prompt: fc.integer({ min: 0, max: 60 }),
  responses: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
});
const limits = fc.record({
  costPerToken: fc.integer({ min: 1, max: 10_000 }),
  costPerScore: fc.integer({ min: 0, max: 1000 }),
  batchTokens: fc.integer({ min: 1, max: 400 }),
  batchScores: fc.integer({ min: 1, max: 40_000 }),
  ropes: fc.constantFrom<readonly RopeScaling[]>([], [{ kind: "default", theta: 9 }], [DYNAMIC]),
});

/** Examples of the given lengths behind a prefix that every prompt has. */
function examplesOf(
  sizes: readonly { prompt: number; responses: readonly number[] }[],
  prefixLength: number,
): TokenizedExample[] {
  return sizes.map(({ prompt, responses }) => ({
    prompt: new Int32Array(prefixLength + prompt),
    responses: responses.map((length) => new Int32Array(length)),
  }));
}

describe("planBatches", () => {
  it("plans every response exactly once, within the limits, and always in the same way", () => {
    fc.assert(
      fc.property(
        fc.array(lengths, { maxLength: 40 }),
        limits,
        fc.integer({ min: 0, max: 20 }),
        (sizes, settings, prefix) => {
          // With dynamic rope there is no shared prefix, see sharedPrefixLength.
          const prefixLength = settings.ropes.includes(DYNAMIC) ? 0 : prefix;
          const examples = examplesOf(sizes, prefixLength);
          const plan: PlanLimits = { ...settings, prefixLength };
          const batches = planBatches(examples, plan);
          const planned = batches
            .flat()
            .flatMap(({ example, responses }) =>
              responses.map((response) => `${example}/${response}`),
            );
          const wanted = sizes.flatMap(({ responses }, i) => responses.map((_, r) => `${i}/${r}`));
          expect(planned.toSorted()).toEqual(wanted.toSorted());
          const together = batches.filter((batch) => batch.length > 1);
          for (const batch of together) {
            const width = Math.max(...batch.map((row) => row.length));
            expect(batch.length * width).toBeLessThanOrEqual(plan.batchTokens);
            const scores = batch.length * width * (prefixLength + width);
            expect(scores).toBeLessThanOrEqual(plan.batchScores);
          }
          for (const { example, responses, length } of batches.flat()) {
            const { prompt, responses: all } = sizes[example]!;
            const each = responses.map((r) => all[r]!);
            expect(length).toBe(each.reduce((sum, size) => sum + size, prompt));
            const isStretched =
              settings.ropes.includes(DYNAMIC) && each.some((size) => prompt + size > 30);
            const haveOneLength = new Set(each).size === 1;
            expect(haveOneLength || !isStretched, "stretched responses share angles").toBe(true);
          }
          expect(planBatches(examples, plan)).toEqual(batches);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  const roomy: PlanLimits = {
    costPerToken: 1000,
    costPerScore: 1,
    batchTokens: 1000,
    batchScores: 1e9,
    ropes: [],
    prefixLength: 0,
  };

  it("packs responses behind their prompt where that is cheaper", () => {
    const long = examplesOf([{ prompt: 50, responses: [5, 6] }], 0);
    expect(planBatches(long, roomy)).toEqual([[{ example: 0, responses: [0, 1], length: 61 }]]);
    // Without a prompt there is nothing to share, and packed responses are scored against each other.
    const none = examplesOf([{ prompt: 0, responses: [5, 6] }], 0);
    expect(planBatches(none, roomy).flat()).toHaveLength(2);
  });

  it("packs more than two responses up to the limits of a batch, and begins another row then", () => {
    const many = examplesOf([{ prompt: 50, responses: [5, 6, 7, 8, 9] }], 0);
    const rows = planBatches(many, { ...roomy, batchTokens: 70 }).flat();
    expect(rows.map(({ responses }) => responses)).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    const scores = planBatches(many, { ...roomy, batchScores: 61 ** 2 }).flat();
    expect(new Set(scores.map(({ length }) => length))).toEqual(new Set([59, 61, 65]));
  });

  it("runs the longest first, neighbours of like length together", () => {
    const sizes = [3, 30, 4, 29, 5].map((size) => ({ prompt: 1, responses: [size] }));
    const plan = planBatches(examplesOf(sizes, 0), { ...roomy, batchTokens: 62 });
    expect(plan.map((batch) => batch.map((row) => row.length))).toEqual([
      [31, 30],
      [6, 5, 4],
    ]);
  });

  it("runs a row that is longer than the limit by itself", () => {
    const sizes = [90, 3].map((size) => ({ prompt: 1, responses: [size] }));
    const plan = planBatches(examplesOf(sizes, 0), { ...roomy, batchTokens: 10 });
    expect(plan.map((batch) => batch.length)).toEqual([1, 1]);
  });
});

describe("planWholeExamples", () => {
  it("keeps all responses of an example in one batch, each once, and splits where the limits say", () => {
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 40 }), limits, (sizes, settings) => {
        const examples = examplesOf(sizes, 1);
        const batches = planWholeExamples(examples, { ...settings, prefixLength: 0 });
        const found = batches.flatMap((batch, b) =>
          batch.flatMap(({ example, responses }) => responses.map(() => ({ example, b }))),
        );
        for (const [i, { responses }] of sizes.entries()) {
          const own = found.filter(({ example }) => example === i);
          expect(own).toHaveLength(responses.length);
          expect(new Set(own.map(({ b }) => b)).size).toBe(1);
        }
        for (const batch of batches) {
          const longest = Math.max(...batch.map((row) => row.length));
          const isOneExample = new Set(batch.map(({ example }) => example)).size === 1;
          expect(isOneExample || batch.length * longest <= settings.batchTokens).toBe(true);
        }
      }),
    );
  });
});
