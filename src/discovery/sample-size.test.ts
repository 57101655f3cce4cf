import { expect, it } from "vitest";

import { chooseSampleSize, expectSampleFits } from "./sample-size.ts";

const store = (rows: number, dim = 4096): Parameters<typeof chooseSampleSize>[0] => ({
  rows,
  manifest: { dim },
});

it("takes the defaults where they fit, and says so where they do not", () => {
  expect(chooseSampleSize(store(378_339), 1, {})).toEqual({
    testPairs: 10_000,
    matrixPairs: 500,
    note: undefined,
  });
  expect(chooseSampleSize(store(378_339), 33, {})).toEqual({
    testPairs: 1515,
    matrixPairs: 500,
    note: "clusters are tested on 1515 pairs, not 10000: at 33 layers of 4096 dimensions no more are held (819 MB); fewer layers hold more",
  });
  // All pairs of a small store are taken whatever the default is.
  expect(chooseSampleSize(store(1000), 33, {}).note).toBeUndefined();
  expect(chooseSampleSize(store(1000), 33, { testPairs: 100 }).matrixPairs).toBe(100);
});

it("refuses numbers that were asked for and do not fit", () => {
  expect(() => chooseSampleSize(store(378_339), 33, { testPairs: 10_000 })).toThrow(
    "testPairs: expected at most 1515 pairs at 33 layers of 4096 dimensions (819 MB of vectors), got 10000 (5407 MB)",
  );
  expect(() => chooseSampleSize(store(378_339), 33, { matrixPairs: 2000 })).toThrow(
    "matrixPairs: expected at most the 1515 pairs that are sampled at 33 layers of 4096 dimensions, got 2000",
  );
  // A store that has no more is held whole.
  expect(() => expectSampleFits(store(1000), 33, 50_000)).not.toThrow();
});
