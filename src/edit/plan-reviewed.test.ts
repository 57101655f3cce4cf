import { describe, expect, it } from "vitest";

import type { DecisionFile, DecisionKind } from "./decisions.ts";
import { planReviewed } from "./plan-reviewed.ts";
import type { PairTable } from "./survey-pairs.ts";

const IDS = Array.from({ length: 40 }, (_, i) => `p${i}`);
const TABLE = {
  ids: IDS,
  groups: IDS.map((_, i) => (i < 30 ? "north" : "south")),
  by: "source",
  contentHash: "hash",
} as unknown as PairTable; // what is read of it
const groupOf = (id: string): string => TABLE.groups[IDS.indexOf(id)]!;

/** Ten pairs of the south, all that there are, and three of the north. */
const FILE: DecisionFile = {
  path: "decisions.jsonl",
  pairs: "hash",
  decisions: new Map(
    IDS.filter((_, i) => i >= 27).map((id, i) => {
      const decision: DecisionKind = i % 2 === 0 ? "drop" : "swap";
      return [id, { id, decision, note: "" }] as const;
    }),
  ),
  size: 0,
  torn: 0,
};

describe("planReviewed with a random pick", () => {
  it.each(["random", "random-any"] as const)(
    "drops and swaps as many pairs as people decided, none of them twice: %s",
    (pick) => {
      const decided = planReviewed(TABLE, FILE);
      const drawn = [1, 2, 3].map((seed) => planReviewed(TABLE, FILE, { pick, seed }));
      for (const { ids, swaps = [], action, pick: told } of drawn) {
        expect([action, told]).toEqual(["review", pick]);
        expect(new Set(ids).size).toBe(decided.ids.length);
        expect(swaps).toHaveLength(decided.swaps!.length);
        expect(swaps.every((id) => ids.includes(id))).toBe(true);
      }
      expect(drawn[0]!.ids).not.toEqual(drawn[1]!.ids);
      expect(planReviewed(TABLE, FILE, { pick, seed: 1 })).toEqual(drawn[0]);
    },
  );

  it("keeps the source mix of each kind with random", () => {
    const count = (ids: readonly string[]): number =>
      ids.filter((id) => groupOf(id) === "south").length;
    const split = ({ ids, swaps = [] }: ReturnType<typeof planReviewed>): readonly number[] => [
      count(swaps),
      count(ids.filter((id) => !swaps.includes(id))),
    ];
    for (const seed of [1, 2, 3]) {
      expect(split(planReviewed(TABLE, FILE, { pick: "random", seed }))).toEqual([5, 5]);
    }
  });
});
