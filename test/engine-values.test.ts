/** The whole engine against transformers: batches of the golden sequences, each cut into a prompt and a response. */
import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { TokenizedExample } from "../src/engine/engine.ts";
import { openLocalEngine } from "../src/engine/local-engine.ts";
import { openSafetensors, type SafetensorsFile } from "../src/format/safetensors.ts";
import { createRng } from "../src/util/rng.ts";
import { relativeError } from "./support/close.ts";
import { writePlainTokenizer } from "./support/plain-tokenizer.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();
const GOLDEN = fileURLToPath(new URL("golden/", import.meta.url));
/** The figure to reach for every layer. */
const MAX_RELATIVE_ERROR = 1e-5;

const VOCABULARY = 64;
/** Prompt, responses. */
const LENGTHS = [
  [9, 4, 12],
  [3, 2, 5, 1],
  [14, 2, 3],
] as const;

const { cases } = JSON.parse(readFileSync(`${GOLDEN}checkpoints/cases.json`, "utf8")) as {
  cases: { name: string; about: string; layers: number; lengths: number[] }[];
};

describe.each(cases)("$name ($about)", ({ name, layers, lengths }) => {
  it("gives transformers' mean over the response, in a batch of unequal sequences", async () => {
    const dir = join(ROOT, name);
    await cp(`${GOLDEN}checkpoints/${name}`, dir, { recursive: true });
    // Only there because an engine has a tokenizer; the token ids come from the golden file.
    await writePlainTokenizer(dir, VOCABULARY);
    await using golden = await openSafetensors(join(dir, "golden.safetensors"));
    await using engine = await openLocalEngine(dir, { threads: 1 });
    const all = Array.from({ length: layers + 1 }, (_, layer) => layer);

    const sequences = lengths
      .map((length, sequence) => ({ length, sequence }))
      .filter(({ length }) => length > 1);
    const examples: TokenizedExample[] = [];
    const wants: { sequence: number; from: number; to: number }[] = [];
    for (const { length, sequence } of sequences) {
      const ids = await readIds(golden, `ids.${sequence}`);
      for (const from of new Set([1, length >> 1, length - 1])) {
        examples.push({ prompt: ids.slice(0, from), responses: [ids.slice(from)] });
        wants.push({ sequence, from, to: length });
      }
    }
    let count = 0;
    for await (const { index, means } of engine.embed(examples, { layers: all })) {
      count++;
      const { sequence, from, to } = wants[index]!;
      for (const layer of all) {
        const hidden = await readFloats(golden, `hidden.${sequence}.${layer}`);
        const dim = hidden.length / to;
        const mean = Float32Array.from({ length: dim }, (_, j) => {
          let sum = 0;
          for (let t = from; t < to; t++) sum += hidden[t * dim + j]!;
          return sum / (to - from);
        });
        const got = means[0]!.subarray(layer * dim, (layer + 1) * dim);
        const error = relativeError(got, mean);
        expect(error, `tokens ${from} to ${to}, layer ${layer}`).toBeLessThan(MAX_RELATIVE_ERROR);
      }
    }
    expect(count).toBe(examples.length);
  });
});

describe.each(cases)("$name, several responses to a prompt", ({ name, layers }) => {
  it("gives each the values that it has alone, whatever shares its row and its batch", async () => {
    const dir = join(ROOT, `${name}-packed`);
    await cp(`${GOLDEN}checkpoints/${name}`, dir, { recursive: true });
    await writePlainTokenizer(dir, VOCABULARY);
    await using engine = await openLocalEngine(dir, { threads: 1 });
    const rng = createRng(9);
    const draw = (length: number): Int32Array =>
      Int32Array.from({ length }, () => rng.integer(VOCABULARY));
    // Lengths on both sides of 16, where some of the ropes change.
    const packed = LENGTHS.map(([prompt, ...responses]) => ({
      prompt: draw(prompt),
      responses: responses.map(draw),
    }));
    const all = Array.from({ length: layers + 1 }, (_, layer) => layer);
    const embed = async (examples: readonly TokenizedExample[]): Promise<Float32Array[][]> => {
      const found: Float32Array[][] = [];
      for await (const { index, means } of engine.embed(examples, { layers: all })) {
        found[index] = [...means];
      }
      return found;
    };
    const together = await embed(packed);
    const logprobs: (readonly number[])[] = [];
    for await (const each of engine.logprobs(packed)) logprobs[each.index] = each.logprobs;
    for (const [i, { prompt, responses }] of packed.entries()) {
      for (const [r, response] of responses.entries()) {
        const alone = [{ prompt, responses: [response] }];
        const [[only]] = (await embed(alone)) as [[Float32Array]]; // one example, one response
        expect(relativeError(together[i]![r]!, only)).toBeLessThan(MAX_RELATIVE_ERROR);
        for await (const { logprobs: own } of engine.logprobs(alone)) {
          expect(relativeError([logprobs[i]![r]!], own)).toBeLessThan(MAX_RELATIVE_ERROR);
        }
      }
    }
  });
});

async function readFloats(file: SafetensorsFile, name: string): Promise<Float32Array> {
  return new Float32Array((await file.readBytes(name)).slice().buffer);
}

async function readIds(file: SafetensorsFile, name: string): Promise<Int32Array> {
  const bytes = (await file.readBytes(name)).slice().buffer;
  return file.tensors.get(name)!.dtype === "I64"
    ? Int32Array.from(new BigInt64Array(bytes), Number)
    : new Int32Array(bytes);
}
