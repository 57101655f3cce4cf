import { expect, it } from "vitest";

import { ConfigError } from "../../util/errors.ts";
import { expectSteering, type Steering } from "./steering.ts";

const model = { layerCount: 3, dim: 2 };
const direction = Float32Array.of(1, 2);

it.each<[string, Steering, RegExp]>([
  [
    "a layer past the last",
    { kind: "project-out", layer: 4, direction },
    /steering\.layer: .* from 0 .* to 3 .* got 4/,
  ],
  ["a layer below 0", { kind: "project-out", layer: -1, direction }, /layer: .* got -1/],
  ["half a layer", { kind: "project-out", layer: 0.5, direction }, /layer: .* got 0\.5/],
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
    expect(() => expectSteering({ kind: "project-out", layer, direction }, model)).not.toThrow();
  }
});
