import { join } from "node:path";

import { expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { makeTinyCheckpoint } from "../../test/support/tiny-checkpoint.ts";
import { openWeights } from "../model/checkpoint-weights.ts";
import { FormatError } from "../util/errors.ts";
import { ParameterCache } from "./parameter-cache.ts";

const ROOT = suiteFolder();
const parameter = (name: string, shape: number[]) =>
  ({ name, elementType: "float32", shape }) as const;

it("keeps one copy of a weight for all graphs that use it", async () => {
  await using weights = await openWeights(await makeTinyCheckpoint(join(ROOT, "one")));
  const cache = new ParameterCache(weights);
  const query = parameter("model.layers.0.self_attn.q_proj.weight.T", [32, 32]);
  const norm = parameter("model.layers.0.input_layernorm.weight", [32]);
  const first = await cache.load([query]);
  const second = await cache.load([query, norm]);
  const [a, b] = [first, second].map(({ bound }) => bound.arrays.get(query.name)!.values);
  expect(a).toBe(first.arrays.get(query.name));
  expect(b).toBe(a);
  expect([...second.bound.arrays.keys()]).toEqual([query.name, norm.name]);
});

it("gives a matrix that is stored [out, in] as [in, out]", async () => {
  await using weights = await openWeights(await makeTinyCheckpoint(join(ROOT, "two")));
  const name = "model.layers.1.mlp.up_proj.weight";
  const { arrays } = await new ParameterCache(weights).load([parameter(`${name}.T`, [32, 48])]);
  const stored = await weights.readFloat32(name);
  const turned = arrays.get(`${name}.T`)!;
  for (const [row, column] of [
    [0, 0],
    [0, 5],
    [47, 31],
    [13, 2],
  ] as const) {
    expect(turned[column * 48 + row]).toBe(stored[row * 32 + column]);
  }
});

it("names a weight that is missing or has another shape", async () => {
  await using weights = await openWeights(await makeTinyCheckpoint(join(ROOT, "three")));
  const cache = new ParameterCache(weights);
  const missing = await expectFailure(
    cache.load([parameter("model.layers.7.a", [1])]),
    FormatError,
  );
  expect(missing.message).toMatch(/lack the tensor "model\.layers\.7\.a"/);
  const name = "model.layers.0.self_attn.k_proj.weight";
  const wrong = await expectFailure(cache.load([parameter(`${name}.T`, [32, 32])]), FormatError);
  expect(wrong.message).toMatch(
    /k_proj\.weight" should be \[32, 32\] by config\.json, is \[16, 32\]/,
  );
});
