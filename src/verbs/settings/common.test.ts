import { describe, expect, test } from "vitest";

import { limitTokens } from "../../util/setting-kinds.ts";
import { layers, layersOrAuto, resolveLayers } from "./common.ts";

describe("layers", () => {
  test.each([
    ["8", [8]],
    ["12, 8,10", [8, 10, 12]],
    ["8-11", [8, 9, 10, 11]],
    ["0,3-5,4", [0, 3, 4, 5]],
    [
      [4, 0, 4],
      [0, 4],
    ],
    [3, [3]],
    ["all", "all"],
  ])("are read from %j, ascending and each once", (written, read) => {
    expect(layers.parse(written)).toEqual(read);
  });

  test.each(["", "8,", "a", "-1", "1.5", "5-3", "1-2-3", "0-999999999", "all,3", "1e3"])(
    "are not %j",
    (text) => {
      expect(layers.safeParse(text).error?.issues[0]?.message).toMatch(
        /^expected numbers and ranges like 8,10-12, or all; got "/,
      );
    },
  );

  test("all means the embedding output and every block", () => {
    expect(resolveLayers("all", 3)).toEqual([0, 1, 2, 3]);
  });

  test("past the last block they are refused with the checkpoint's range", () => {
    expect(resolveLayers([0, 30], 30)).toEqual([0, 30]);
    expect(() => resolveLayers([31], 30)).toThrow(
      "layers: the checkpoint has layers 0 to 30, got 31",
    );
  });
});

test("tokens are limited by the checkpoint's positions", () => {
  const at = (maxPositions: number) => ({ name: "c", maxPositions });
  expect(limitTokens(undefined, at(4096))).toBe(2048);
  expect(limitTokens(undefined, at(256))).toBe(256);
  expect(limitTokens(256, at(256))).toBe(256);
  expect(() => limitTokens(257, at(256))).toThrow(
    "maxTokens: c was made for 256 positions, got 257",
  );
});

test("auto is a word where a behaviour chooses layers", () => {
  expect(layersOrAuto.parse("auto")).toBe("auto");
  expect(layers.safeParse("auto").success).toBe(false);
  expect(layersOrAuto.safeParse("5-3").success).toBe(false);
});
