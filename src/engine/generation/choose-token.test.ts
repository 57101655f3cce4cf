import { array, assert, integer, option, pre, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { createRng } from "../../util/rng.ts";
import { chooseToken, type TokenFilter } from "./choose-token.ts";

const ALL: TokenFilter = { topK: undefined, topP: 1 };

/** The transformers rule, written the slow way: top-k first, then the shortest head of what is left that reaches p. */
function allowed(probabilities: readonly number[], { topK, topP }: TokenFilter): Set<number> {
  const sorted = probabilities
    .map((_, id) => id)
    .toSorted((a, b) => probabilities[b]! - probabilities[a]! || a - b)
    .slice(0, topK);
  const total = sorted.reduce((sum, id) => sum + probabilities[id]!, 0);
  const kept = new Set<number>();
  let sum = 0;
  for (const id of sorted) {
    kept.add(id);
    sum += probabilities[id]!;
    if (topP < 1 && sum >= topP * total - 1e-12) break;
  }
  return kept;
}

describe("chooseToken", () => {
  it.each([
    ["all tokens", ALL],
    ["the two likeliest", { topK: 2, topP: 1 }],
    ["a nucleus of 0.6", { topK: undefined, topP: 0.6 }],
    ["both filters", { topK: 3, topP: 0.8 }],
  ])("samples from %s in proportion to their probabilities", (_, filter) => {
    const probabilities = [0.1, 0.4, 0.05, 0.25, 0.2];
    const rng = createRng(5);
    const draws = 20_000;
    const counts = probabilities.map(() => 0);
    for (let i = 0; i < draws; i++) {
      counts[chooseToken(Float32Array.from(probabilities), rng.integer(2 ** 32), filter)]!++;
    }
    const kept = allowed(probabilities, filter);
    const total = [...kept].reduce((sum, id) => sum + probabilities[id]!, 0);
    for (const [id, count] of counts.entries()) {
      const want = kept.has(id) ? probabilities[id]! / total : 0;
      // Five standard errors.
      const margin = 5 * Math.sqrt((want * (1 - want)) / draws);
      expect(Math.abs(count / draws - want), `token ${id}`).toBeLessThanOrEqual(margin);
    }
  });

  it("gives only tokens that the filters allow, whatever the distribution", () => {
    assert(
      property(
        array(integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 40 }),
        option(integer({ min: 1, max: 45 }), { nil: undefined }),
        integer({ min: 1, max: 100 }),
        integer({ min: 0, max: 2 ** 32 - 1 }),
        (weights, topK, percent, key) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          pre(total > 0);
          const probabilities = Float32Array.from(weights, (weight) => weight / total);
          const filter = { topK, topP: percent / 100 };
          const token = chooseToken(probabilities, key, filter);
          expect(probabilities[token]).toBeGreaterThan(0);
          expect(allowed([...probabilities], filter).has(token)).toBe(true);
        },
      ),
    );
  });

  it("hardly ever changes its choice where probabilities move by rounding", () => {
    const rng = createRng(9);
    const probabilities = Float32Array.from({ length: 5000 }, () => rng.uniform() ** 8);
    const moved = probabilities.map((each) => each * (1 + 2e-6 * (rng.uniform() - 0.5)));
    let changed = 0;
    for (let i = 0; i < 2000; i++) {
      const key = rng.integer(2 ** 32);
      if (chooseToken(probabilities, key, ALL) !== chooseToken(moved, key, ALL)) changed++;
    }
    // A running sum over so many tokens would part in several of them.
    expect(changed).toBeLessThanOrEqual(1);
  });

  it("refuses probabilities that are not numbers", () => {
    // What softmax makes of one logit that is not a number.
    const broken = Float32Array.of(Number.NaN, Number.NaN);
    expect(() => chooseToken(broken, 5, ALL)).toThrow(/logits are not finite/);
    expect(() => chooseToken(broken, 5, { topK: 1, topP: 1 })).toThrow(/not finite/);
  });
});
