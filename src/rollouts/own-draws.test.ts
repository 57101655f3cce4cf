import * as fc from "fast-check";
import { expect, it } from "vitest";

import { firstDraws } from "./own-draws.ts";

it("gives every sample of one prompt a draw of its own, and what comes first the draws that it has alone", () => {
  const prompts = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });
  fc.assert(
    fc.property(prompts, fc.integer({ min: 1, max: 5 }), (some, samples) => {
      const first = firstDraws(some, samples);
      const draws = some.flatMap((prompt, i) =>
        Array.from({ length: samples }, (_, sample) => `${prompt} ${first[i]! + sample}`),
      );
      expect(new Set(draws).size).toBe(draws.length);
      const fresh = [...new Set(some)].map((prompt) => first[some.indexOf(prompt)]);
      expect(fresh).toEqual(fresh.map(() => 0));
      expect(firstDraws([...some, "a"], samples).slice(0, -1)).toEqual(first);
    }),
  );
});
