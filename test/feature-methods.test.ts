/** Ranking by influence features and gradients, as users run it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const at = (name: string): string => join(ROOT, name);
const PAIRS = randomPairs(24);
/** Two pairs whose responses are those of the behaviour: the first as the behaviour has them, the second the other way round. */
const [FIRST, SECOND] = PAIRS as [(typeof PAIRS)[0], (typeof PAIRS)[0]];
const SKETCH = ["--sketch", "1024", "--projection-seed", "3"];

beforeAll(async () => {
  await makeTinyCheckpoint(at("sft"));
  await writeFile(at("pairs.jsonl"), jsonLines(PAIRS));
  const responses = [FIRST, SECOND].map(({ id, prompt, chosen, rejected }, i) =>
    i === 0
      ? { id, prompt, before: rejected, after: chosen }
      : { id, prompt, before: chosen, after: rejected },
  );
  await writeFile(at("responses.jsonl"), jsonLines(responses));
  await make("states", "2");
  await make("influence", "2", SKETCH);
  await make("gradient", "0", SKETCH);
});

async function make(features: string, layers: string, more: readonly string[] = []): Promise<void> {
  const shared = ["--checkpoint", at("sft"), "--layers", layers, "--features", features, ...more];
  await runCommand("embed", [at("pairs.jsonl"), ...shared, "--out", at(features)]);
  await runCommand("behavior", [
    at("responses.jsonl"),
    ...shared,
    "--out",
    at(`${features}.safetensors`),
  ]);
}

describe.each([
  ["influence-probe", "influence"],
  ["gradient", "gradient"],
])("%s", (method, features) => {
  it("ranks the behaviour's own pairs at both ends", async () => {
    const out = at(`${features}.jsonl`);
    const behavior = ["--behavior", at(`${features}.safetensors`)];
    await runCommand("rank", [at(features), ...behavior, "--method", method, "--out", out]);
    const rows = (await readFile(out, "utf8")).trim().split("\n");
    const ids = rows.map((row) => (JSON.parse(row) as { id: string }).id);
    expect([ids[0], ids.at(-1)]).toEqual([FIRST.id, SECOND.id]);
    const manifest = JSON.parse(await readFile(join(at(features), "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({
      dim: 1024,
      features: { kind: features, dims: 1024, seed: 3 },
    });
  });

  it("is refused where store, behaviour and method are of different features", async () => {
    const rank = (store: string, behavior: string, name: string): Promise<string> =>
      runCommand("rank", [
        at(store),
        "--behavior",
        at(`${behavior}.safetensors`),
        "--method",
        name,
      ]);
    await expect(rank("states", "states", method)).rejects.toMatchObject({
      message: expect.stringContaining(`expected vectors of ${features} features`),
      hint: expect.stringContaining(`--features ${features}`),
    });
    await expect(rank(features, features, "probe")).rejects.toThrow(/expected vectors of states/);
    await expect(rank(features, "states", method)).rejects.toThrow(
      new RegExp(`expected ${features} features.*got states`),
    );
  });
});

describe("features", () => {
  it.each([
    [["--sketch", "64"], /expected features influence or gradient with it, got states/],
    [["--features", "influence", "--parameters", "mlp"], /expected features gradient with it/],
    [["--features", "influence", "--sketch", "100"], /expected a power of two/],
    [["--features", "gradient", "--parameters", "("], /expected a regular expression/],
    [["--features", "gradient"], /layers: expected 0, the one vector that gradients have, got 2/],
  ])("%j is refused", async (more, message) => {
    const words = [at("pairs.jsonl"), "--checkpoint", at("sft"), "--layers", "2"];
    await expect(runCommand("embed", [...words, ...more, "--out", at("refused")])).rejects.toThrow(
      message,
    );
  });

  it("of another seed are not taken for those of a store", async () => {
    const words = [
      at("pairs.jsonl"),
      "--checkpoint",
      at("sft"),
      "--layers",
      "1",
      "--out",
      at("seeds"),
    ];
    const influence = ["--features", "influence", "--sketch", "64"];
    await runCommand("embed", [...words, ...influence]);
    await expect(
      runCommand("embed", [...words, ...influence, "--projection-seed", "1"]),
    ).rejects.toThrow(/features\.seed 0, now it is 1/);
  });

  it("refuse weights that no name fits", async () => {
    const words = [at("pairs.jsonl"), "--checkpoint", at("sft"), "--layers", "0"];
    const gradient = ["--features", "gradient", "--parameters", "nothing"];
    await expect(runCommand("embed", [...words, ...gradient, "--out", at("none")])).rejects.toThrow(
      /parameters: expected a pattern that fits/,
    );
  });

  it("cannot be steered with", async () => {
    await writeFile(at("prompts.jsonl"), jsonLines([{ id: "a", prompt: "the river" }]));
    const words = ["--checkpoint", at("sft"), "--behavior", at("influence.safetensors")];
    await expect(
      runCommand("steer", [
        at("prompts.jsonl"),
        ...words,
        "--out",
        at("steered"),
        "--mode",
        "add",
        "--rules",
        "refusal",
      ]),
    ).rejects.toThrow(/influence features/);
  });
});
