import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { PreferencePair, UnusableRow } from "../pairs/preference-pair.ts";
import { createRanking } from "../ranking/ranking-file.ts";
import { createRng } from "../util/rng.ts";
import { applyEdit, swapPair } from "./apply-edit.ts";
import { planEdit } from "./plan-edit.ts";
import { readPairTable } from "./survey-pairs.ts";

function pair(row: number, columns: PreferencePair["columns"]): PreferencePair {
  return {
    kind: "pair",
    id: `p${row}`,
    row,
    file: "x.jsonl",
    fileRow: row,
    prompt: [{ role: "user", content: `q${row}` }],
    chosen: [{ role: "assistant", content: `good ${row}` }],
    rejected: [{ role: "assistant", content: `bad ${row}` }],
    columns,
  };
}

const UNUSABLE: UnusableRow = {
  kind: "unusable",
  row: 99,
  file: "x.jsonl",
  fileRow: 99,
  reason: "empty-side",
  detail: "",
};

/** 40 pairs, every fourth of source "b", of which p0, p4, … have the highest scores; p39 has none. */
const PAIRS = Array.from({ length: 40 }, (_, row) =>
  pair(row, { source: row % 4 === 0 ? "b" : "a", chosen_model: "m", rejected_model: `r${row}` }),
);
const SCORES = PAIRS.map((_, row) => (row === 39 ? Number.NaN : row % 4 === 0 ? 100 - row : -row));
const RANKING = createRanking(
  PAIRS.map(({ id }) => id),
  SCORES,
);
const TABLE = await readPairTable([UNUSABLE, ...PAIRS]);

async function apply(
  rows: readonly (PreferencePair | UnusableRow)[],
  edit: Parameters<typeof applyEdit>[1],
): Promise<(PreferencePair | UnusableRow)[]> {
  const all = [];
  for await (const row of applyEdit(rows, edit, "trl-standard")) all.push(row);
  return all;
}

describe("filter and swap", () => {
  it("take the top k, best first, and count what they take of each source", () => {
    const edit = planEdit(TABLE, { action: "filter", top: 12 }, RANKING);
    expect(edit.ids.slice(0, 3)).toEqual(["p0", "p4", "p8"]);
    expect(edit.ids.slice(10)).toEqual(["p1", "p2"]);
    expect(edit.groups).toEqual([
      { group: "b", pairs: 10, edited: 10 },
      { group: "a", pairs: 30, edited: 2 },
    ]);
    expect(edit).toMatchObject({ unranked: 1, ties: { inside: 1, outside: 0 } });
    expect(edit.warnings).toEqual([expect.stringMatching(/^1 of 40 pairs have no score/)]);
  });

  it("take equal scores by row, whatever the order of the ranking, and say how many were tied", () => {
    const shuffled = createRng(3).shuffle(PAIRS.map(({ id }) => id));
    const ranking = createRanking(shuffled, new Float64Array(40).fill(0.5));
    const edit = planEdit(TABLE, { action: "swap", top: 3 }, ranking);
    expect(edit.ids).toEqual(["p0", "p1", "p2"]);
    expect(edit.ties).toEqual({ inside: 3, outside: 37 });
  });

  it("filter removes exactly those, swap exchanges sides and their columns and keeps the ids", async () => {
    const rows = [...PAIRS, UNUSABLE];
    const filtered = await apply(rows, planEdit(TABLE, { action: "filter", top: 10 }, RANKING));
    expect(filtered).toEqual(rows.filter((row) => row.row % 4 !== 0 || row.row > 39));
    const swap = planEdit(TABLE, { action: "swap", top: 1 }, RANKING);
    const swapped = await apply(rows, swap);
    expect(swapped.slice(1)).toEqual(rows.slice(1));
    expect(swapped[0]).toEqual({
      ...PAIRS[0]!,
      chosen: PAIRS[0]!.rejected,
      rejected: PAIRS[0]!.chosen,
      columns: { source: "b", chosen_model: "r0", rejected_model: "m" },
    });
    expect(await apply(swapped, swap)).toEqual(rows);
  });

  it("swapping twice gives the pair back, whichever side columns it has", () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.constant(null));
    const names =
      "source chosen_score rejected_score score-chosen score-rejected ratingChosen ratingRejected chosen_only __proto__ unchosen unrejected";
    const name = fc.constantFrom(...names.split(" "));
    fc.assert(
      fc.property(fc.dictionary(name, value), (columns) => {
        const before = pair(1, columns);
        expect(swapPair(swapPair(before, "olmo-mix"), "olmo-mix")).toEqual(before);
      }),
    );
    const columns = { chosen_only: 1, unchosen: 2, unrejected: 3, ratingChosen: 4 };
    expect(swapPair(pair(1, { ...columns, ratingRejected: 5 }), "olmo-mix").columns).toEqual({
      ...columns,
      ratingChosen: 5,
      ratingRejected: 4,
    });
  });

  it("refuse to go on where a named pair does not come by", async () => {
    await expect(apply(PAIRS.slice(1), { action: "filter", ids: ["p1", "p0"] })).rejects.toThrow(
      /expected all 2 pairs it names, got 1; the first that is missing is "p0"/,
    );
  });
});

describe("random controls", () => {
  it("draw as many pairs of each source as the edit takes, none twice, none without a score", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 39 }),
        fc.integer(),
        fc.constantFrom("filter" as const, "swap" as const),
        (top, seed, action) => {
          const chosen = planEdit(TABLE, { action, top }, RANKING);
          const random = planEdit(TABLE, { action, top, pick: "random", seed }, RANKING);
          const byGroup = (groups: typeof chosen.groups): unknown =>
            groups.map(({ group, edited }) => `${group} ${edited}`).toSorted();
          expect(byGroup(random.groups)).toEqual(byGroup(chosen.groups));
          expect(new Set(random.ids).size).toBe(top);
          expect(random.ids).not.toContain("p39");
          expect(planEdit(TABLE, { action, top, pick: "random", seed }, RANKING)).toEqual(random);
        },
      ),
    );
  });

  it("depend on the seed and reach every pair equally often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 2000; seed++) {
      const { ids } = planEdit(TABLE, { action: "filter", top: 12, pick: "random", seed }, RANKING);
      for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    // All ten of "b" always, two of the 29 scored ones of "a" each time: 138 ± 11.4.
    for (const { id, columns } of PAIRS.slice(0, 39)) {
      const [expected, margin] = columns["source"] === "b" ? [2000, 1] : [138, 50];
      expect(Math.abs((counts.get(id) ?? 0) - expected)).toBeLessThan(margin);
    }
  });

  it("of any source draw from all pairs, and need no ranking", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const settings = { action: "filter", top: 10, pick: "random-any", seed } as const;
      const edit = planEdit(TABLE, settings);
      expect(new Set(edit.ids).size).toBe(10);
      for (const id of edit.ids) seen.add(id);
    }
    expect(seen.size).toBe(40);
  });
});

describe("the bottom", () => {
  it("is the k pairs with the lowest scores, lowest first, none without a score", () => {
    const edit = planEdit(TABLE, { action: "filter", top: 3, pick: "bottom" }, RANKING);
    expect(edit).toMatchObject({ ids: ["p38", "p37", "p35"], pick: "bottom" });
    expect([edit.ties, edit.seed]).toEqual([{ inside: 1, outside: 0 }, undefined]);
  });

  it("takes equal scores from the last row, and counts them", () => {
    const ids = PAIRS.map(({ id }) => id);
    const flat = createRanking(ids, new Float64Array(40).fill(0.5));
    const edit = planEdit(TABLE, { action: "swap", top: 2, pick: "bottom" }, flat);
    expect(edit).toMatchObject({ ids: ["p39", "p38"], ties: { inside: 2, outside: 38 } });
  });
});

describe("tenths", () => {
  const keptBy = (settings: Omit<Parameters<typeof planEdit>[1], "action">): string[] => {
    const { ids } = planEdit(TABLE, { action: "tenth", ...settings }, RANKING);
    return PAIRS.map(({ id }) => id).filter((id) => !ids.includes(id));
  };

  it("leave every pair with a score in one of ten, from the highest to the lowest", () => {
    const tenths = Array.from({ length: 10 }, (_, i) => keptBy({ tenth: i + 1 }));
    expect(tenths[0]).toEqual(["p0", "p4", "p8"]); // ⌊39/10⌋ = 3
    expect(tenths[9]).toEqual(["p34", "p35", "p37", "p38"]);
    expect(tenths.flat().toSorted()).toEqual(
      PAIRS.slice(0, 39)
        .map(({ id }) => id)
        .toSorted(),
    );
    const edit = planEdit(TABLE, { action: "tenth", tenth: 2 }, RANKING);
    expect(edit).toMatchObject({ tenth: 2, unranked: 1 });
    expect([edit.top, edit.ties, edit.ids.includes("p39")]).toEqual([undefined, undefined, true]);
  });

  it("have random ones of the same size, of any source, another with each seed", () => {
    const [one, two] = [1, 2].map((seed) => keptBy({ tenth: 1, pick: "random", seed }));
    expect([one!.length, two!.length]).toEqual([3, 3]);
    expect(one).not.toEqual(two);
    expect([...one!, ...two!]).not.toContain("p39");
    const random = planEdit(TABLE, { action: "tenth", tenth: 1, pick: "random", seed: 1 }, RANKING);
    expect(random).toMatchObject({ seed: 1 });
    expect([random.tenth, random.warnings.at(-1)]).toEqual([
      undefined,
      expect.stringMatching(/draws from all sources/),
    ]);
  });
});

describe("drop-source", () => {
  it("auto drops the sources whose lift is above the bound for certain, ranked or not", () => {
    const edit = planEdit(TABLE, { action: "drop-source", top: 10 }, RANKING);
    expect(edit.ids).toEqual(PAIRS.filter(({ row }) => row % 4 === 0).map(({ id }) => id));
    expect(edit.sources).toEqual([
      { group: "b", lift: expect.objectContaining({ value: expect.closeTo(3.9, 9) as number }) },
    ]);
    expect(edit.sources![0]!.lift!.low).toBeGreaterThan(1.5);
  });

  it("auto drops nothing where no source stands out", () => {
    const rng = createRng(7);
    const noise = createRanking(
      PAIRS.map(({ id }) => id),
      PAIRS.map(() => rng.normal()),
    );
    const edit = planEdit(TABLE, { action: "drop-source", top: 10 }, noise);
    expect([edit.ids, edit.sources]).toEqual([[], []]);
  });

  it("drops named groups of any kept column, and its control draws as many pairs of all sources", async () => {
    const table = await readPairTable(PAIRS, { by: "rejected_model" });
    const settings = { action: "drop-source", sources: ["r3", "r5"] } as const;
    expect(planEdit(table, settings)).toMatchObject({ ids: ["p3", "p5"], by: "rejected_model" });
    const random = planEdit(table, { ...settings, pick: "random", seed: 1 });
    expect(random.ids).toHaveLength(2);
    expect(random.warnings).toEqual([expect.stringMatching(/draws from all sources/)]);
  });
});

describe("planning refuses", () => {
  it.each([0, 11, 1.5, undefined])("tenth %s", (tenth) => {
    expect(() => planEdit(TABLE, { action: "tenth", tenth }, RANKING)).toThrow(
      /tenth: expected a number from 1, the highest scores, to 10/,
    );
  });
  it("tenths of fewer than ten pairs with a score", async () => {
    const few = PAIRS.slice(0, 9);
    const ranking = createRanking(
      few.map(({ id }) => id),
      few.map((_, row) => row),
    );
    const table = await readPairTable(few);
    expect(() => planEdit(table, { action: "tenth", tenth: 1 }, ranking)).toThrow(
      /at least 10 pairs with a score, got 9/,
    );
  });
  it.each([
    ["tenth", { action: "tenth", tenth: 10 }],
    ["bottom", { action: "filter", top: 3, pick: "bottom" }],
  ] as const)(
    "%s of a ranking of candidates, whose lowest are not the lowest of all",
    (_, asked) => {
      const candidates = { ...RANKING, scored: 20, others: RANKING.ids.slice(20) };
      expect(() => planEdit(TABLE, asked, candidates)).toThrow(
        /expected a ranking that scored all pairs, got one of 20 candidates/,
      );
    },
  );

  const plan = (settings: Parameters<typeof planEdit>[1], ranking = RANKING): (() => unknown) => {
    return () => planEdit(TABLE, settings, ranking);
  };
  it.each([0, 40, 1.5, Number.NaN, undefined])("a top of %s with 39 scored pairs", (top) => {
    expect(plan({ action: "filter", top })).toThrow(/expected a top from 1 to 39/);
  });

  it("a ranking of other data: ids that are not there, too few pairs ranked", () => {
    const other = createRanking(["p1", "zz"], [2, 1]);
    expect(plan({ action: "filter", top: 1 }, other)).toThrow(/1 of 2 that the data does not have/);
    const few = createRanking(["p1", "p2"], [2, 1]);
    expect(plan({ action: "filter", top: 1 }, few)).toThrow(/got scores for 2 of 40/);
  });

  it("edits without a ranking, unknown sources, no column, and an edit that leaves nothing", async () => {
    expect(() => planEdit(TABLE, { action: "swap", top: 1 })).toThrow(/expected a ranking/);
    expect(() => planEdit(TABLE, { action: "drop-source", top: 1 })).toThrow(/expected a ranking/);
    expect(plan({ action: "drop-source", sources: ["a", "zz"] })).toThrow(/got "zz"/);
    expect(plan({ action: "drop-source", sources: ["a", "b"] })).toThrow(/takes all 40/);
    const bare = await readPairTable(PAIRS.map((each) => ({ ...each, columns: {} })));
    expect(() => planEdit(bare, { action: "drop-source", sources: ["a"] })).toThrow(
      /got none that tell theirs/,
    );
    await expect(readPairTable(PAIRS, { by: "zz" })).rejects.toThrow(/"zz": expected one of/);
    await expect(readPairTable([UNUSABLE])).rejects.toThrow(/expected usable pairs/);
  });

  it("finds ids that UTF-8 cannot hold by what it makes of them, unless two look alike", async () => {
    const hostile = ["a\ud800", "\n\"'", "__proto__"].map((id, i) => ({ ...pair(i, {}), id }));
    const table = await readPairTable(hostile);
    const written = createRanking(["a\ufffd", "\n\"'", "__proto__"], [1, 2, 3]);
    expect(planEdit(table, { action: "swap", top: 3 }, written).ids).toEqual(
      hostile.map(({ id }) => id).toReversed(),
    );
    const alike = await readPairTable([...hostile, { ...pair(4, {}), id: "a\udc00" }]);
    expect(() => planEdit(alike, { action: "swap", top: 3 }, written)).toThrow(/does not have/);
  });
});
