import { expect, test } from "vitest";

import { firstDifference } from "./first-difference.ts";

test("firstDifference names the first member that differs, whatever the order of keys", () => {
  expect(firstDifference({ a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 })).toBeUndefined();
  expect(firstDifference({ a: 1, b: { c: [1], d: 2 } }, { a: 1, b: { c: [1, 2], d: 3 } })).toEqual({
    path: "b.c",
    a: "[1]",
    b: "[1,2]",
  });
  expect(firstDifference({ a: null }, { a: { b: 1 } })).toEqual({
    path: "a",
    a: "null",
    b: '{"b":1}',
  });
});
