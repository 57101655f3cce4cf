import { expect, it } from "vitest";

import { editJson } from "./edit-json.ts";

it("sets members and leaves other numbers as they were spelled", () => {
  const text =
    '{"a": 5.0, "b": [1e-05, 1.0e3, 7, -0.0], "c": "1.0 and \\"2.0\\"", "d": 12345678901234567890, "e": {"f": 1.50}}';
  const edited = editJson(text, { a: "x", new: 2.5 });
  expect(edited.replaceAll(/\s+/g, " ").trim()).toBe(
    '{ "a": "x", "b": [ 1e-05, 1.0e3, 7, -0.0 ], "c": "1.0 and \\"2.0\\"", "d": 12345678901234567890, "e": { "f": 1.50 }, "new": 2.5 }',
  );
  expect(editJson("{}", { dtype: "float32" })).toBe('{\n  "dtype": "float32"\n}\n');
});
