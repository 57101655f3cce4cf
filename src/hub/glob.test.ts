import { describe, expect, test } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { compileGlob, isGlob } from "./glob.ts";

describe("compileGlob", () => {
  test.each([
    ["data/*.parquet", ["data/a.parquet"], ["data/x/a.parquet", "a.parquet", "data/a.parquetx"]],
    ["**/*.json", ["a.json", "x/a.json", "x/y/a.json"], ["a.jsonl"]],
    ["data/**", ["data/a", "data/x/y"], ["other/a", "data"]],
    ["a?.csv", ["a1.csv"], ["a.csv", "a12.csv", "a/.csv"]],
    ["[a-c!]x", ["ax", "!x"], ["dx", "x"]],
    ["[!a]x", ["bx"], ["ax", "/x"]],
    ["{train,test}-*.csv", ["train-1.csv", "test-.csv"], ["dev-1.csv"]],
    ["a.b+(c)|$^", ["a.b+(c)|$^"], ["aXb+(c)|$^"]],
    ["a}b,c", ["a}b,c"], []],
    ["[^a]", ["^", "a"], ["b"]],
  ])("matches %s as a shell would", (glob, hits, misses) => {
    const isMatch = compileGlob(glob);
    expect(hits.filter((path) => !isMatch(path))).toEqual([]);
    expect(misses.filter((path) => isMatch(path))).toEqual([]);
  });

  test.each(["a[b", "{a,b", "[z-a]"])("refuses %s", (glob) => {
    expect(() => compileGlob(glob)).toThrow(ConfigError);
  });

  test("takes names without pattern characters for plain paths", () => {
    expect(isGlob("data/train.jsonl.gz")).toBe(false);
    expect(isGlob("data/*.parquet")).toBe(true);
  });
});
