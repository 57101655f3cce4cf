import { expect, test } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { parseLayers, resolveLayers } from "./layers.ts";

test("reads numbers, ranges and mixtures, ascending and each once", () => {
  expect(parseLayers("8")).toEqual([8]);
  expect(parseLayers("12, 8,10")).toEqual([8, 10, 12]);
  expect(parseLayers("8-11")).toEqual([8, 9, 10, 11]);
  expect(parseLayers("0,3-5,4")).toEqual([0, 3, 4, 5]);
});

test("all means the embedding output and every block", () => {
  expect(resolveLayers(parseLayers("all"), 3)).toEqual([0, 1, 2, 3]);
});

test.each(["", "8,", "a", "-1", "1.5", "5-3", "1-2-3", "0-999999999", "all,3", "1e3"])(
  "refuses %j",
  (text) => {
    expect(() => parseLayers(text)).toThrow(ConfigError);
  },
);

test("a layer past the last block is refused with the checkpoint's range", () => {
  expect(resolveLayers([0, 30], 30)).toEqual([0, 30]);
  expect(() => resolveLayers([31], 30)).toThrow("layers 0 to 30, got 31");
});
