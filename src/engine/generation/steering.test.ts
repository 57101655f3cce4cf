import { expect, it } from "vitest";

import { ConfigError } from "../../util/errors.ts";
import { expectSteering, type Steering } from "./steering.ts";

const model = { layerCount: 3, dim: 2 };
const direction = Float32Array.of(1, 2);
const out = (...directions: [number, Float32Array][]): Steering => ({
  kind: "project-out",
  directions: new Map(directions),
});

it.each<[string, Steering, RegExp]>([
  ["a layer past the last", out([4, direction]), /steering\.layer: .* from 0 .* to 3 .* got 4/],
  ["a layer below 0", out([-1, direction]), /layer: .* got -1/],
  ["no layer", out(), /steering\.directions: expected a direction for a layer, got none/],
  ["a second layer past the last", out([1, direction], [4, direction]), /layer: .* got 4/],
  [
    "zeros at a second layer",
    out([1, direction], [2, new Float32Array(2)]),
    /steering\.direction: .* got zeros/,
  ],
  ["half a layer", out([0.5, direction]), /layer: .* got 0\.5/],
  [
    "another width",
    { kind: "add", layer: 1, direction: new Float32Array(3).fill(1), strength: 1 },
    /steering\.direction: expected 2 numbers.* got 3/,
  ],
  [
    "a direction with NaN",
    { kind: "add", layer: 1, direction: Float32Array.of(0, Number.NaN), strength: 1 },
    /steering\.direction\[1\]: .* got NaN/,
  ],
  [
    "no direction",
    { kind: "add", layer: 1, direction: new Float32Array(2), strength: 1 },
    /steering\.direction: .* got zeros/,
  ],
  [
    "an endless strength",
    { kind: "add", layer: 1, direction, strength: Infinity },
    /steering\.strength: .* got Infinity/,
  ],
  [
    "a strength that is no number",
    { kind: "add", layer: 1, direction, strength: Number.NaN },
    /steering\.strength: .* got NaN/,
  ],
  [
    "a product too large for float32",
    { kind: "add", layer: 1, direction, strength: 2e38 },
    /steering\.strength: .* got 2e\+38/,
  ],
])("%s is refused", (_, steering, message) => {
  expect(() => expectSteering(steering, model)).toThrow(message);
  expect(() => expectSteering(steering, model)).toThrow(ConfigError);
});

it("the embeddings and the last block are layers", () => {
  for (const layer of [0, 3]) {
    expect(() => expectSteering(out([layer, direction]), model)).not.toThrow();
  }
});
