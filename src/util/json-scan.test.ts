import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findTwiceKey, quoteKey } from "./json-scan.ts";

const twice = (text: string): unknown => findTwiceKey(text, JSON.parse(text));

describe("findTwiceKey", () => {
  it.each([
    ['{"a": 1, "a": 2}', { key: "a", line: 1 }],
    ['{"b": {"a": 1},\n "c": [{"a": 1}, {"x": 0,\n "a": 1, "a" : 2}]}', { key: "a", line: 3 }],
    ['{"a": 1, "\\u0061": 2}', { key: "a", line: 1 }],
    ['{"say": "\\"x\\": {", "n": "\\\\", "say": "}"}', { key: "say", line: 1 }],
    ['{"__proto__": 1, "__proto__": 2}', { key: "__proto__", line: 1 }],
    ['{"1": 1, "1": 1}', { key: "1", line: 1 }],
    ['{"": 1, "": 1}', { key: "", line: 1 }],
  ])("finds the second of %j", (text, expected) => {
    expect(twice(text)).toEqual(expected);
  });

  it("finds none in any value that is written once, whatever its texts hold", () => {
    const value = fc.jsonValue({
      maxDepth: 4,
      stringUnit: fc.constantFrom('"', ":", "{", "}", "\\", "a", " ", "["),
    });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (each, indent) => {
        expect(twice(JSON.stringify(each, undefined, indent))).toBeUndefined();
      }),
    );
  });

  it("follows values that are nested deeper than calls can be", () => {
    const text = `${'{"a":['.repeat(20_000)}${"]}".repeat(20_000)}`;
    expect(twice(text)).toBeUndefined();
  });
});

it("a key that is no plain name stays out of errors", () => {
  expect([quoteKey("chosen_model"), quoteKey("a\nb"), quoteKey("x".repeat(99))]).toEqual([
    '"chosen_model"',
    "a key",
    "a key",
  ]);
});
