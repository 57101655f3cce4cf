import { expect, it } from "vitest";

import { differingPart } from "./behavior-head.ts";

const full = { checkpointHash: "a", tokenizerHash: "b", templateHash: "c" };

it("tells weights held another way from the same checkpoint", () => {
  expect(differingPart(full, { ...full })).toBeUndefined();
  expect(differingPart(full, { ...full, precision: undefined })).toBeUndefined();
  expect(differingPart(full, { ...full, precision: "INT8" })).toBe("precision");
  expect(differingPart(full, { ...full, checkpointHash: "z" })).toBe("checkpointHash");
});
