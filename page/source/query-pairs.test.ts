import { expect, it } from "vitest";

import type { PairTable } from "../../src/report/pair-table.ts";
import type { PairQuery } from "../../src/report/report-source.ts";
import { queryPairs } from "./query-pairs.ts";

const method = { label: "probe", formula: "f", scored: 3, isBounded: true };
const TABLE: PairTable = {
  summary: {
    total: 4,
    listed: 4,
    selection: [],
    methods: [method, { ...method, label: "length", scored: 4 }],
    sources: ["east", "west"],
    hasPlanted: true,
    agreements: [],
    histogram: undefined,
  },
  ids: ["a", "b", "c", "d"],
  sources: [0, 1, 1, -1],
  previews: ["Write a poem", "write CODE", "sing", ""],
  norms: [1, null, 3, 2],
  flags: [0b0010, 0b0011, 0, 0b1000],
  scores: [
    [0.9, 0.5, -0.1, null],
    [4, 3, 2, 1],
  ],
  ranks: [
    [1, 2, 3, null],
    [1, 2, 3, 4],
  ],
  winnerNames: ["s1"],
  winners: [[0, -1, 0, -1], null],
  unshaded: { top: 1, within: "", beyond: "" },
  chunks: [0, 0, 0, -1],
};

const ids = (query: Partial<PairQuery>): string[] => {
  const list = queryPairs(TABLE, { method: 0, sort: "rank", isDescending: false, ...query });
  return Array.from(list.rows(0, list.count) as Iterable<{ id: string }>, ({ id }) => id);
};

it("sorts by what is asked, and what has none of it comes last either way", () => {
  expect(ids({})).toEqual(["a", "b", "c", "d"]);
  expect(ids({ isDescending: true })).toEqual(["c", "b", "a", "d"]);
  expect(ids({ sort: "norm" })).toEqual(["a", "d", "c", "b"]);
  expect(ids({ sort: "norm", isDescending: true })).toEqual(["c", "d", "a", "b"]);
  expect(ids({ sort: "source" })).toEqual(["a", "b", "c", "d"]);
});

it("filters by words, source, mark and score, of the method that is asked about", () => {
  expect(ids({ search: "WRITE  code" })).toEqual(["b"]);
  expect(ids({ search: "west" })).toEqual(["b", "c"]);
  expect(ids({ source: "west" })).toEqual(["b", "c"]);
  expect(ids({ source: "nowhere" })).toEqual([]);
  expect(ids({ flag: "planted" })).toEqual(["a", "b"]);
  expect(ids({ flag: "low norm" })).toEqual(["b"]);
  expect(ids({ min: -0.5, max: 0.5 })).toEqual(["b", "c"]);
  expect(ids({ method: 1, max: 2 })).toEqual(["c", "d"]);
  expect(ids({ ids: "d\nnobody\na" })).toEqual(ids({}).filter((id) => id === "a" || id === "d"));
});

it("gives rows with their places in every ranking", () => {
  const [row] = queryPairs(TABLE, { method: 0, sort: "rank", isDescending: false }).rows(1, 2) as [
    unknown,
  ];
  expect(row).toEqual({
    id: "b",
    source: "west",
    preview: "write CODE",
    norm: undefined,
    flags: ["low norm", "planted"],
    places: [
      { score: 0.5, rank: 2, percentile: 100 / 3, winner: undefined },
      { score: 3, rank: 2, percentile: 50, winner: undefined },
    ],
  });
});
