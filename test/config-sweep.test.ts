/** Configs of every family, drawn at random, against transformers' logits (test/golden/configs); weights follow from their names. */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { type SafetensorsTensor, writeSafetensors } from "../src/format/safetensors.ts";
import { FAMILIES } from "../src/model/families/index.ts";
import { readModel } from "../src/model/read-model.ts";
import { blockParameters, headParameters } from "../src/model/stored-parameters.ts";
import { relativeError } from "./support/close.ts";
import { lastLogits } from "./support/generation.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();
/** What transformers makes of `type` where a family has a rope for each kind of layer, and then reads as "default". */
const AMBIGUOUS = '"rope_type":"default","type":"dynamic"';

const { cases } = JSON.parse(
  readFileSync(new URL("golden/configs/configs.json", import.meta.url), "utf8"),
) as { cases: { config: { model_type: string }; logits: Record<string, number[]> }[] };

const isAmbiguous = (config: object): boolean => JSON.stringify(config).includes(AMBIGUOUS);

describe.each(
  cases
    .filter(({ config }) => !isAmbiguous(config))
    .map((each, number) => [each.config.model_type, number, each] as const),
)("%s, config %i", (_type, number, { config, logits }) => {
  it("has transformers' logits", async () => {
    const dir = join(ROOT, `${number}`);
    await mkdir(dir);
    await writeFile(join(dir, "config.json"), JSON.stringify(config));
    await writeWeights(dir);
    for (const [length, want] of Object.entries(logits)) {
      const ids = Array.from({ length: Number(length) }, (_, i) => (7 * i + 3) % 64);
      expect(relativeError(await lastLogits(dir, ids), want)).toBeLessThan(1e-5);
    }
  });
});

it("a config with two answers is refused by name", async () => {
  for (const { config } of cases.filter((each) => isAmbiguous(each.config))) {
    const dir = join(ROOT, "ambiguous");
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "config.json"), JSON.stringify(config));
    await expect(readModel(dir)).rejects.toThrow(/"type" "dynamic" beside "rope_type" "default"/);
  }
  expect(cases.some(({ config }) => isAmbiguous(config))).toBe(true);
});

it("the sweep has every family", () => {
  const swept = new Set(cases.map(({ config }) => config.model_type));
  expect([...swept].toSorted()).toEqual(
    FAMILIES.flatMap(({ modelTypes }) => modelTypes).toSorted(),
  );
});

async function writeWeights(dir: string): Promise<void> {
  const model = await readModel(dir);
  const shapes = new Map([...blockParameters(model), ...headParameters(model)]);
  const tensors = [...shapes].map(([name, shape]): SafetensorsTensor => {
    const values = numbers(name, shape);
    return { name, dtype: "F32", shape, bytes: new Uint8Array(values.buffer) };
  });
  await writeSafetensors(join(dir, "model.safetensors"), tensors);
}

/** As make_configs.py. */
function numbers(name: string, shape: readonly number[]): Float32Array {
  let start = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) start = Math.imul(start ^ byte, 0x01000193);
  const isNorm = name.includes("norm") && !name.endsWith(".bias");
  const length = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, (_, i) => {
    let x = (Math.imul(i, 0x9e3779b1) + start) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    const uniform = ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
    return (isNorm ? 0.4 : 0.35) * (2 * uniform - 1) + (isNorm ? 1 : 0);
  });
}
