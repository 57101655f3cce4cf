import * as fc from "fast-check";
import { expect, it } from "vitest";

import type { TokenizedExample } from "./engine.ts";
import { joinPrompts } from "./join-prompts.ts";
import { planBatches, type PlanLimits } from "./plan-batches.ts";

const tokens = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 2 });
const example = fc.record({ prompt: tokens, responses: fc.array(tokens, { maxLength: 3 }) });

function tokenized({
  prompt,
  responses,
}: {
  prompt: readonly number[];
  responses: readonly (readonly number[])[];
}): TokenizedExample {
  return {
    prompt: Int32Array.from(prompt),
    responses: responses.map((each) => Int32Array.from(each)),
  };
}

it("holds each prompt once, each of its responses once, and every response has one place", () => {
  fc.assert(
    fc.property(fc.array(example, { maxLength: 30 }), (given) => {
      const examples = given.map(tokenized);
      const joined = joinPrompts(examples);
      const spell = (each: Int32Array): string => each.join(" ");
      const prompts = joined.examples.map(({ prompt }) => spell(prompt));
      expect(new Set(prompts).size).toBe(prompts.length);
      const places = joined.examples.flatMap(({ prompt, responses }, i) => {
        expect(new Set(responses.map(spell)).size).toBe(responses.length);
        return responses.flatMap((response, r) =>
          joined.placesOf(i, r).map((place) => {
            const whole = examples[place.example]!;
            expect(spell(whole.prompt)).toBe(spell(prompt));
            expect(spell(whole.responses[place.response]!)).toBe(spell(response));
            return `${place.example}/${place.response}`;
          }),
        );
      });
      const wanted = examples.flatMap((each, i) => each.responses.map((_, r) => `${i}/${r}`));
      expect(places.toSorted()).toEqual(wanted.toSorted());
    }),
    { seed: 1 },
  );
});

it("does not take a response for a prompt, nor one row of tokens for two", () => {
  const joined = joinPrompts([
    tokenized({ prompt: [1, 2], responses: [[3]] }),
    tokenized({ prompt: [1], responses: [[2, 3]] }),
  ]);
  expect(joined.examples).toHaveLength(2);
});

it("runs four pairs of one prompt with the prompt's tokens once", () => {
  const limits: PlanLimits = {
    costPerToken: 1000,
    costPerScore: 1,
    batchTokens: 1000,
    batchScores: 1e9,
    ropes: [],
    prefixLength: 0,
  };
  const prompt = Array.from({ length: 60 }, (_, i) => i);
  const pairs = [10, 20, 30, 40].map((first) =>
    tokenized({ prompt, responses: [[first], [first + 1, 7]] }),
  );
  const run = (examples: readonly TokenizedExample[]): number =>
    planBatches(examples, limits)
      .flat()
      .reduce((sum, row) => sum + row.length, 0);
  expect(run(pairs)).toBe(4 * 63);
  expect(run(joinPrompts(pairs).examples)).toBe(60 + 4 * 3);
});
