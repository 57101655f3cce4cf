/** Checkpoints whose names, head or config keys are not as the family writes them, against transformers (test/golden/variants). */
import { readFileSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { openSafetensors, writeSafetensors } from "../src/format/safetensors.ts";
import { expectHeadFits, expectWeightsFit } from "../src/model/expect-weights.ts";
import { openModel } from "../src/model/open-model.ts";
import { relativeError } from "./support/close.ts";
import { lastLogits } from "./support/generation.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();
const GOLDEN = fileURLToPath(new URL("golden/", import.meta.url));

interface Change {
  readonly config?: Readonly<Record<string, unknown>>;
  /** From, to, factor. */
  readonly copy?: readonly (readonly [string, string, number])[];
  readonly drop?: readonly string[];
  /** Pattern, replacement. */
  readonly rename?: readonly [string, string];
}
const { cases } = JSON.parse(readFileSync(`${GOLDEN}variants/variants.json`, "utf8")) as {
  cases: { about: string; checkpoint: string; change: Change; ids: number[]; logits: number[] }[];
};

describe.each(cases)("$about", ({ about, checkpoint, change, ids, logits }) => {
  it("has transformers' logits", async () => {
    const dir = join(ROOT, about.replaceAll(/\W+/g, "-"));
    await cp(`${GOLDEN}checkpoints/${checkpoint}`, dir, { recursive: true });
    await changeConfig(dir, change);
    await changeWeights(dir, change);
    {
      const { model, weights } = await openModel(dir);
      await using opened = weights;
      expectWeightsFit(model, opened, dir);
      expectHeadFits(model, opened);
    }
    expect(relativeError(await lastLogits(dir, ids), logits)).toBeLessThan(1e-5);
  });
});

async function changeConfig(dir: string, { config }: Change): Promise<void> {
  const path = join(dir, "config.json");
  const old = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...old, ...config }));
}

/** As make_variants.py does. */
async function changeWeights(dir: string, { copy = [], drop = [], rename }: Change): Promise<void> {
  const path = join(dir, "model.safetensors");
  const tensors = new Map<string, { shape: readonly number[]; bytes: Uint8Array; dtype: string }>();
  {
    await using file = await openSafetensors(path);
    for (const [name, { shape, dtype }] of file.tensors) {
      tensors.set(name, { shape, dtype, bytes: (await file.readBytes(name)).slice() });
    }
  }
  for (const [from, to, factor] of copy) {
    const { bytes, ...rest } = tensors.get(from)!;
    const values = new Float32Array(bytes.slice().buffer).map((each) => each * factor);
    tensors.set(to, { ...rest, bytes: new Uint8Array(values.buffer) });
  }
  for (const name of drop) tensors.delete(name);
  const renamed = [...tensors].map(([name, { shape, bytes, dtype }]) => ({
    name: rename === undefined ? name : name.replace(new RegExp(rename[0]), rename[1]),
    dtype: dtype as "F32" | "BOOL", // what the golden checkpoints have
    shape,
    bytes,
  }));
  await writeSafetensors(path, renamed);
}
