import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { requestKey } from "./base-key.ts";
import type { Scenario } from "./scenarios.ts";
import { splitScenarios } from "./split-scenarios.ts";

const scenario = (base: string, id: number | string): Scenario => ({
  id: String(id),
  title: undefined,
  base,
  distractor: undefined,
  tags: [],
  variants: {},
});
const scenariosOf = (texts: readonly string[]): readonly Scenario[] => texts.map(scenario);

// Few letters, so that equal bases, and bases equal but for case, blanks and punctuation, are frequent.
const texts = fc.array(
  fc.string({ unit: fc.constantFrom("a", "A", "b", " ", "?"), minLength: 1 }),
  {
    minLength: 2,
    maxLength: 20,
  },
);

describe("splitScenarios", () => {
  it("loses none, repeats none, and lets no base prompt into both halves", () => {
    fc.assert(
      fc.property(
        texts.filter((each) => new Set(each.map(requestKey)).size > 1),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.integer(),
        (some, probeShare, seed) => {
          const { probe, evaluation } = splitScenarios(scenariosOf(some), { probeShare, seed });
          const ids = [...probe.scenarios, ...evaluation.scenarios].map(({ id }) => Number(id));
          expect(ids.toSorted((a, b) => a - b)).toEqual(some.map((_, i) => i));
          const keys = (half: typeof probe) =>
            new Set(half.scenarios.map(({ base }) => requestKey(base)));
          expect([...keys(probe)].filter((key) => keys(evaluation).has(key))).toEqual([]);
          expect([probe.bases, evaluation.bases]).toEqual([
            keys(probe).size,
            keys(evaluation).size,
          ]);
          expect(probe.bases).toBeGreaterThan(0);
          expect(evaluation.bases).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("keeps together what differs in white space, case and punctuation", () => {
    const same = ["How are you?", "how are  YOU", "How are you …", "¿How are you?"];
    expect(new Set(same.map(requestKey)).size).toBe(1);
    expect(requestKey("2 + 2")).not.toBe(requestKey("2 2"));
    expect(requestKey("???")).not.toBe(requestKey("!!!"));
    expect(requestKey("你好")).not.toBe(requestKey("再见"));
  });

  it.each([
    ["Dont panic", "Don't panic", "Don’t panic", "Donʼt panic", "Don´t panic", "Don`t panic"],
    ["E-mail me", "Email me", "e‑mail me", "E\u00ADmail me"],
    ["1,000 ways", "1000 ways", "1 000 ways", "１０００ ways"],
    ["zero width", "zero\u200B width", "\uFEFFzero width", "zero wid\u2060th", "zero wi\uFE0Fdth"],
    ["Straße", "STRASSE", "strasse"],
    ["caf\u00E9", "cafe\u0301"],
    ["ΟΔΟΣ", "οδος", "οδοσ"],
  ])("takes for one request: %s, …", (first, ...others) => {
    expect(others.map(requestKey)).toEqual(others.map(() => requestKey(first)));
    const some = [first, ...others, "another", "yet another", "a third"];
    const { probe, evaluation } = splitScenarios(scenariosOf(some));
    for (const half of [probe, evaluation]) {
      const count = half.scenarios.filter(({ base }) => [first, ...others].includes(base)).length;
      expect([0, others.length + 1]).toContain(count);
    }
  });

  it.each([
    ["C++ code", "C code"],
    ["$5", "5"],
    ["cafe", "café"],
    ["हि", "ह"],
    ["a", "b"],
  ])("tells apart: %s and %s", (a, b) => {
    expect(requestKey(a)).not.toBe(requestKey(b));
  });

  it("takes the share that is asked for, the same with the same seed, whatever the order", () => {
    const some = scenariosOf(Array.from({ length: 200 }, (_, i) => `request number ${i}`));
    const split = splitScenarios(some, { probeShare: 0.3, seed: 4 });
    expect([split.probe.bases, split.evaluation.bases]).toEqual([60, 140]);
    const reversed = splitScenarios(some.toReversed(), { probeShare: 0.3, seed: 4 });
    expect(reversed.probe.scenarios.toReversed()).toEqual(split.probe.scenarios);
    const other = splitScenarios(some, { probeShare: 0.3, seed: 5 });
    expect(other.probe.scenarios).not.toEqual(split.probe.scenarios);
  });

  it("moves at most one base prompt where one is added", () => {
    const some = scenariosOf(Array.from({ length: 41 }, (_, i) => `request number ${i}`));
    const before = splitScenarios(some.slice(1)).probe.scenarios.map(({ id }) => id);
    const after = splitScenarios(some).probe.scenarios.map(({ id }) => id);
    expect(before.filter((id) => !after.includes(id)).length).toBeLessThanOrEqual(1);
  });

  it("refuses fewer than two base prompts, shares outside (0, 1) and an id that is there twice", () => {
    expect(() => splitScenarios(scenariosOf(["Name a river.", "name a river"]))).toThrow(
      /at least two different base prompts to split, got 1/,
    );
    const two = scenariosOf(["a", "b"]);
    expect(() => splitScenarios(two, { probeShare: 1 })).toThrow(/below 1, got 1/);
    expect(() => splitScenarios(two, { probeShare: Number.NaN })).toThrow(/got NaN/);
    expect(() => splitScenarios([scenario("a", "x"), scenario("b", "x")])).toThrow(/"x".*twice/);
  });
});
