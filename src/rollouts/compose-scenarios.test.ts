import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { temporaryFile } from "../../test/support/data-files.ts";
import { ConfigError } from "../util/errors.ts";
import { baseKey } from "./base-key.ts";
import { BUILT_IN_CONSTRAINTS } from "./built-in-constraints.ts";
import { composeScenarios } from "./compose-scenarios.ts";
import { readConstraints, selectConstraints } from "./constraints.ts";
import { readScenarios } from "./scenarios.ts";
import { writeScenarios } from "./write-scenarios.ts";

const bases = (...texts: readonly string[]) => texts.map((text) => ({ text, tags: [] }));
const request = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text.trim() !== "");
const requests = fc.uniqueArray(request, { minLength: 1, maxLength: 8, selector: baseKey });

/** The constraints of every base prompt. */
function drawn(
  ...[prompts, pool, options]: Parameters<typeof composeScenarios>
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { base, distractor } of composeScenarios(prompts, pool, options).scenarios) {
    found.set(base, [...(found.get(base) ?? []), distractor!]);
  }
  return found;
}

describe("composeScenarios", () => {
  it("gives every base prompt as many different constraints as asked for, whatever the texts", () => {
    fc.assert(
      fc.property(
        requests,
        fc.integer({ min: 1, max: 5 }),
        fc.integer(),
        (texts, perBase, seed) => {
          const { scenarios, bases: count } = composeScenarios(
            bases(...texts),
            BUILT_IN_CONSTRAINTS,
            {
              perBase,
              seed,
            },
          );
          expect(count).toBe(texts.length);
          const pairs = scenarios.map(({ base, distractor }) => JSON.stringify([base, distractor]));
          expect(new Set(pairs).size).toBe(texts.length * perBase);
          expect(new Set(scenarios.map(({ id }) => id)).size).toBe(texts.length * perBase);
        },
      ),
    );
  });

  it("draws for a base prompt by its content alone: neither others nor any order changes it", () => {
    fc.assert(
      fc.property(requests, requests, fc.integer(), (texts, others, seed) => {
        const alone = drawn(bases(...texts), BUILT_IN_CONSTRAINTS, { perBase: 2, seed });
        const known = new Set(texts.map(baseKey));
        const more = others.filter((text) => !known.has(baseKey(text)));
        const shuffled = bases(...more, ...texts.toReversed());
        const pool = BUILT_IN_CONSTRAINTS.toReversed();
        const among = drawn(shuffled, pool, { perBase: 2, seed });
        for (const [base, constraints] of alone) {
          expect(among.get(base)!.toSorted()).toEqual([...constraints].toSorted());
        }
      }),
    );
  });

  it("keeps what a smaller number for each base drew", () => {
    const texts = bases(...Array.from({ length: 30 }, (_, i) => `request ${i}`));
    const one = drawn(texts, BUILT_IN_CONSTRAINTS);
    const three = drawn(texts, BUILT_IN_CONSTRAINTS, { perBase: 3 });
    for (const [base, constraints] of one) expect(three.get(base)).toContain(constraints[0]);
  });

  it("draws every constraint about equally often, and others with another seed", () => {
    const texts = bases(...Array.from({ length: 880 }, (_, i) => `request ${i}`));
    const { uses, scenarios } = composeScenarios(texts, BUILT_IN_CONSTRAINTS);
    const expected = texts.length / BUILT_IN_CONSTRAINTS.length;
    // Chi-squared with 43 degrees of freedom: above 78 once in a thousand.
    const chi = Object.values(uses).reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chi).toBeLessThan(78);
    const other = composeScenarios(texts, BUILT_IN_CONSTRAINTS, { seed: 1 }).scenarios;
    const same = scenarios.filter(({ distractor }, i) => distractor === other[i]!.distractor);
    expect(same.length / texts.length).toBeLessThan(0.05);
  });

  it("merges base prompts that differ in white space and case, with the tags of both", () => {
    const { scenarios, ...counts } = composeScenarios(
      [
        { text: "Name a river.", tags: ["a"] },
        { text: " name  a\nRIVER. ", tags: ["b"] },
        { text: "Name a river!", tags: [] },
      ],
      [{ id: "verse:short", text: "In verse.", tags: ["own"] }],
    );
    expect(counts).toEqual({ bases: 2, duplicates: 1, uses: { "verse:short": 2 } });
    expect(scenarios[0]).toMatchObject({
      base: "Name a river.",
      distractor: "In verse.",
      tags: ["a", "b", "verse", "verse:short", "own"],
    });
  });

  it("keeps ids and bytes from one version to the next", async () => {
    const { scenarios } = composeScenarios(bases("Name a river."), BUILT_IN_CONSTRAINTS);
    const path = await temporaryFile("s.jsonl", "");
    await writeScenarios(path, scenarios);
    const set = await readScenarios(path);
    expect(set.scenarios).toEqual(scenarios);
    expect(scenarios).toMatchInlineSnapshot(`
      [
        {
          "base": "Name a river.",
          "distractor": "Finish with exactly this sentence: "I hope this helps."",
          "id": "s-571b95fa51108cf7",
          "tags": [
            "startend",
            "startend:end_checker",
            "startend:end_checker:helps",
            "ending",
          ],
          "title": undefined,
          "variants": {},
        },
      ]
    `);
  });

  it("refuses an empty input, an empty pool, one text twice and more constraints than there are", () => {
    const some = BUILT_IN_CONSTRAINTS.slice(0, 2);
    const compose =
      (...args: Parameters<typeof composeScenarios>) =>
      () =>
        composeScenarios(...args);
    expect(compose([], some)).toThrow(ConfigError);
    expect(compose(bases("a"), [])).toThrow(/expected constraints, got none/);
    expect(compose(bases("a"), some, { perBase: 3 })).toThrow(/expected at most 2.*got 3/);
    expect(compose(bases("a"), some, { perBase: 0 })).toThrow(/at least 1, got 0/);
    expect(compose(bases("a"), [some[0]!, { ...some[0]!, id: "x" }])).toThrow(/one text/);
  });
});

describe("constraints", () => {
  it("ship about forty in IFEval's kinds, each id and text once", async () => {
    const pool = await readConstraints();
    expect(pool.length).toBeGreaterThanOrEqual(40);
    expect(new Set(pool.map(({ id }) => id)).size).toBe(pool.length);
    expect(new Set(pool.map(({ text }) => text)).size).toBe(pool.length);
    for (const { id, text } of pool) {
      expect(id).toMatch(/^[a-z_]+:[a-z_]+(:[a-z0-9-]+)?$/);
      expect(text).toMatch(/^[A-Z].*[."]$/);
    }
  });

  it("are read from YAML, JSON lines and CSV, beside those that ship", async () => {
    const yaml = await temporaryFile("c.yaml", "- {id: a, text: In verse., tags: [v]}\n");
    const lines = await temporaryFile("c.jsonl", '{"id": "b:c", "text": " In prose. "}\n');
    const csv = await temporaryFile("c.csv", 'id,text,tags\nd,"Yes, sir.","x, y"\n');
    const pool = await readConstraints([yaml, lines, csv, "builtin"]);
    expect(pool.slice(0, 3)).toEqual([
      { id: "a", text: "In verse.", tags: ["v"] },
      { id: "b:c", text: "In prose.", tags: [] },
      { id: "d", text: "Yes, sir.", tags: ["x", "y"] },
    ]);
    expect(pool).toHaveLength(3 + BUILT_IN_CONSTRAINTS.length);
  });

  it("of a broken file are refused with file and row", async () => {
    const bad = async (text: string, name = "c.jsonl") =>
      readConstraints([await temporaryFile(name, text)]);
    await expect(bad('{"id": "a", "text": "T"}\n{"id": "a", "text": "U"}\n')).rejects.toThrow(
      /c\.jsonl, row 1: the id "a" is that of .*row 0 too/,
    );
    await expect(bad('{"id": "a b", "text": "T"}\n')).rejects.toThrow(/row 0: id: expected/);
    await expect(bad('{"id": "a", "text": " "}\n')).rejects.toThrow(/row 0: text: expected/);
    await expect(bad('{"id": "a", "text": "T", "tags": 1}\n')).rejects.toThrow(/row 0: tags/);
    await expect(bad("{\n")).rejects.toThrow(/row 0: line 1/);
    await expect(bad("")).rejects.toThrow(/expected constraints, got none/);
    await expect(bad("a: 1\n", "c.yaml")).rejects.toThrow(/expected a list of constraints/);
  });

  it("are selected by family, kind and id, in the order of the pool", () => {
    const ids = (...names: readonly string[]) =>
      selectConstraints(BUILT_IN_CONSTRAINTS, names).map(({ id }) => id);
    expect(ids("punctuation:no_comma")).toEqual(["punctuation:no_comma"]);
    expect(ids("startend", "length_constraints:number_words")).toEqual([
      "length_constraints:number_words:at-most-50",
      "length_constraints:number_words:at-most-100",
      "length_constraints:number_words:at-least-200",
      "startend:end_checker:helps",
      "startend:end_checker:done",
      "startend:quotation",
    ]);
    expect(() => ids("length")).toThrow(/got "length"/);
  });
});
