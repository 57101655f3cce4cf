/** Steering and amplification through the engine: what changes nothing, adapters, and what is refused. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, expect, it } from "vitest";

import type { Engine, GeneratingEngine } from "../src/engine/engine.ts";
import type { GenerateOptions } from "../src/engine/generation/generate-options.ts";
import { newGenerationCounter } from "../src/engine/generation/generate-options.ts";
import type { Steering } from "../src/engine/generation/steering.ts";
import { openEngine } from "../src/engine/local-host.ts";
import { ConfigError } from "../src/util/errors.ts";
import { createRng } from "../src/util/rng.ts";
import { collect } from "./support/data-files.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const OTHER = join(ROOT, "other");
const ORGANISM = fileURLToPath(new URL("../organisms/distractor/checkpoint", import.meta.url));

const rng = createRng(4);
const direction = Float32Array.from({ length: 32 }, () => rng.normal());

const projectOut = (...directions: [number, Float32Array][]): Steering => ({
  kind: "project-out",
  directions: new Map(directions),
});

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  await makeTinyCheckpoint(OTHER, { seed: 2, config: { num_hidden_layers: 2 } });
});

async function tokensOf(engine: Engine, options: GenerateOptions): Promise<number[][]> {
  const prompts = ["Tell me of rain.", "Why?"].map((content) =>
    engine.tokenizePrompt([{ role: "user", content }]),
  );
  const settings = { samples: 3, maxTokens: 12, seed: 3, ...options };
  const samples = await collect(engine.generate(prompts, settings));
  return samples
    .toSorted((a, b) => a.prompt - b.prompt || a.sample - b.sample)
    .map(({ tokens }) => [...tokens]);
}

it("a steering or amplification of 0 gives the very samples without it; one that rounds away does too", async () => {
  await using engine = await openEngine(CHECKPOINT, { threads: 1 });
  await using before = await openEngine(OTHER, { threads: 1 });
  const plain = await tokensOf(engine, {});
  // 1e-30 runs the changed graph and is lost in every sum.
  for (const strength of [0, 1e-30]) {
    const steering = { kind: "add", layer: 1, direction, strength } as const;
    expect(await tokensOf(engine, { steering })).toEqual(plain);
  }
  for (const alpha of [0, 1e-30]) {
    expect(await tokensOf(engine, { amplify: { before, alpha } })).toEqual(plain);
  }
  const steering = { kind: "add", layer: 1, direction, strength: 1 } as const;
  expect(await tokensOf(engine, { steering })).not.toEqual(plain);
  expect(await tokensOf(engine, { amplify: { before, alpha: 2 } })).not.toEqual(plain);
});

it("amplified by -1 gives the very samples of the checkpoint before, which may have another depth", async () => {
  await using engine = await openEngine(CHECKPOINT, { threads: 1 });
  await using before = await openEngine(OTHER, { threads: 1 });
  const counter = newGenerationCounter();
  const got = await tokensOf(engine, { amplify: { before, alpha: -1 }, counter });
  const plain = newGenerationCounter();
  expect(got).toEqual(await tokensOf(before, { counter: plain }));
  // Tokens count once, operations of both models.
  expect(counter.sampledTokens).toBe(plain.sampledTokens);
  expect(counter.promptTokens).toBe(plain.promptTokens);
  expect(counter.flops).toBeGreaterThan(2 * plain.flops);
});

it("packed and shared weights are steered alike", async () => {
  const steering = projectOut([2, direction]);
  await using packed = await openEngine(CHECKPOINT, { threads: 1 });
  await using shared = await openEngine(CHECKPOINT, { threads: 1, weights: "shared" });
  const options = { temperature: 0, steering };
  expect(await tokensOf(shared, options)).toEqual(await tokensOf(packed, options));
});

it("what does not fit is refused at once, before any sample", async () => {
  await using engine = await openEngine(CHECKPOINT);
  await using organism = await openEngine(ORGANISM);
  const resized = join(ROOT, "resized");
  await makeTinyCheckpoint(resized, { config: { vocab_size: 600 } });
  await using wide = await openEngine(resized);
  const remote: GeneratingEngine = { ...engine, identity: engine.identity };
  const cases: readonly [GenerateOptions, RegExp][] = [
    [{ steering: projectOut([4, direction]) }, /steering\.layer: .* to 3 .*got 4/],
    [
      { steering: projectOut([1, new Float32Array(64).fill(1)]) },
      /steering\.direction: expected 32 numbers.*got 64/,
    ],
    [{ amplify: { before: organism, alpha: 1 } }, /amplify\.before: expected the tokenizer of/],
    [
      { amplify: { before: wide, alpha: 1 } },
      /amplify\.before: expected a vocabulary of \d+ .*600/,
    ],
    [{ amplify: { before: remote, alpha: 1 } }, /amplify\.before: expected an engine that runs on/],
    [{ amplify: { before: engine, alpha: Number.NaN } }, /amplify\.alpha: .*got NaN/],
  ];
  for (const [options, message] of cases) {
    expect(() => engine.generate([], options)).toThrow(message);
    expect(() => engine.generate([], options)).toThrow(ConfigError);
  }
});
