import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openEngine } from "../engine/local-host.ts";
import { openWeights } from "../model/checkpoint-weights.ts";
import { ConfigError, UnsupportedError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { initCheckpoint } from "./init-checkpoint.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/", import.meta.url));
const TOKENIZER = join(GOLDEN, "tokenizer/chatml");

let root: string;
let config: Record<string, unknown>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "culprit-init-"));
  const text = await readFile(join(GOLDEN, "checkpoints/qwen2/config.json"), "utf8");
  config = { ...(JSON.parse(text) as object), vocab_size: 420, initializer_range: 0.05 };
});
afterAll(() => rm(root, { recursive: true }));

describe("initCheckpoint", () => {
  test("writes a checkpoint that opens, with weights spread as the config says", async () => {
    const out = join(root, "plain");
    await initCheckpoint(config, TOKENIZER, 1, out);
    await using engine = await openEngine(out);
    const example = engine.tokenize(
      [{ role: "user", content: "hi" }],
      [[{ role: "assistant", content: "no" }]],
    );
    const embedded = [];
    for await (const each of engine.embed([example], { layers: [1] })) embedded.push(each);
    expect(embedded).toHaveLength(1);

    await using weights = await openWeights(out);
    const matrix = await weights.readFloat32("model.embed_tokens.weight");
    const deviation = Math.sqrt(matrix.reduce((sum, x) => sum + x * x, 0) / matrix.length);
    expect(deviation).toBeGreaterThan(0.048);
    expect(deviation).toBeLessThan(0.052);
    const norm = await weights.readFloat32("model.layers.0.input_layernorm.weight");
    expect(new Set(norm)).toEqual(new Set([1]));
    const bias = await weights.readFloat32("model.layers.0.self_attn.q_proj.bias");
    expect(new Set(bias)).toEqual(new Set([0]));
  });

  test("gives the same bytes for the same seed and others for another", async () => {
    const hashes: string[] = [];
    for (const [name, seed] of [
      ["a", 1],
      ["b", 1],
      ["c", 2],
    ] as const) {
      await initCheckpoint(config, TOKENIZER, seed, join(root, name));
      hashes.push(await hashFile(join(root, name, "model.safetensors")));
    }
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  test("refuses a vocabulary below the tokenizer's, an unknown architecture, and a folder in use", async () => {
    await expect(
      initCheckpoint({ ...config, vocab_size: 10 }, TOKENIZER, 1, join(root, "small")),
    ).rejects.toThrow(ConfigError);
    await expect(
      initCheckpoint({ ...config, model_type: "gpt5" }, TOKENIZER, 1, join(root, "unknown")),
    ).rejects.toThrow(UnsupportedError);
    const used = join(root, "used");
    await cp(join(GOLDEN, "lora/base"), used, { recursive: true });
    await writeFile(join(used, "note.txt"), "");
    await expect(initCheckpoint(config, TOKENIZER, 1, used)).rejects.toThrow(/checkpoint already/);
  });
});
