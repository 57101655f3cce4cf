/** Ranking by influence features and gradients, as users run it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { openLocalEngine } from "../src/engine/local-engine.ts";
import { openStore } from "../src/store/open-store.ts";
import { readStoreVector } from "../src/store/read-vector.ts";
import { relativeError } from "./support/close.ts";
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
  await trainWarmup("warmup", at("sft"));
  await makeOdd();
  for (const features of ["tracin", "less"]) {
    await make(features, "all", [...SKETCH, "--warmup", at("warmup")]);
  }
  await ask("concept", "0", [...SKETCH, "--concept", at("states.safetensors")]);
});

/** A checkpoint that overflows where a prompt has a Z, pairs of which one does, and a warm-up on the others. */
async function makeOdd(): Promise<void> {
  const engine = await openLocalEngine(at("sft"));
  const id = engine.tokenId("Z");
  await engine[Symbol.asyncDispose]();
  await makeTinyCheckpoint(at("odd"), {
    config: { tie_word_embeddings: false },
    edit: (weights) => {
      for (const [name, { values, shape }] of weights) {
        const columns = shape[1] ?? 1;
        const fill = (isAt: (row: number, column: number) => boolean, value: number): void => {
          for (let i = 0; i < values.length; i++) {
            if (isAt(Math.floor(i / columns), i % columns)) values[i] = value;
          }
        };
        // Z alone is anything but 0 in the first dimension, which no block writes to and the first MLP multiplies beyond bounds.
        if (name === "model.embed_tokens.weight") {
          fill((_, column) => column === 0, 0);
          fill((row, column) => column === 0 && row === id, 1);
        }
        if (/(?:o_proj|down_proj)\.weight$/.test(name)) fill((row) => row === 0, 0);
        if (/layers\.0\.mlp\.(?:gate|up)_proj\.weight$/.test(name)) {
          fill((_, column) => column === 0, 1e25);
        }
      }
    },
  });
  const rows = randomPairs(5);
  await writeFile(at("good.jsonl"), jsonLines(rows));
  const odd = { ...rows[0]!, id: "odd", prompt: "Z" };
  await writeFile(at("one-bad.jsonl"), jsonLines([odd, ...rows]));
  await trainWarmup("odd-warmup", at("odd"), ["--targets", "q_proj"]);
}

/** A warm-up of two epochs, each with a state. */
async function trainWarmup(
  name: string,
  checkpoint: string,
  more: readonly string[] = [],
): Promise<void> {
  const how = ["--learning-rate", "1e-2", "--lora", "--rank", "2", "--keep-states"];
  const long = ["--epochs", "2", "--sample", "50%", "--batch-size", "6"];
  const to = ["--checkpoint", checkpoint, "--out", at(name)];
  const words = [at("pairs.jsonl"), ...to, ...how, ...long, ...more];
  await runCommand("train", words);
}

async function make(features: string, layers: string, more: readonly string[] = []): Promise<void> {
  const shared = ["--checkpoint", at("sft"), "--layers", layers, "--features", features, ...more];
  await runCommand("embed", [at("pairs.jsonl"), ...shared, "--out", at(features)]);
  await ask(features, layers, more);
}

async function ask(features: string, layers: string, more: readonly string[] = []): Promise<void> {
  const shared = ["--checkpoint", at("sft"), "--layers", layers, "--features", features, ...more];
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
  ["tracin", "tracin"],
  ["less", "less"],
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
      new RegExp(`expected one of ${features} features.*got states`),
    );
  });
});

describe("features", () => {
  it.each([
    [["--sketch", "64"], /expected other features with it, got states/],
    [["--features", "influence", "--parameters", "mlp"], /expected features of gradients with it/],
    [["--features", "concept"], /concept: expected a behaviour of states, whose direction/],
    [["--features", "less"], /warmup: expected a training run, which features less are along/],
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

  it("of a concept are asked with by one method alone", async () => {
    const rank = (behavior: string, method: string): Promise<string> =>
      runCommand("rank", [at("gradient"), "--behavior", at(behavior), "--method", method]);
    await rank("concept.safetensors", "concept-influence");
    await expect(rank("concept.safetensors", "gradient")).rejects.toThrow(
      /expected one of gradient features, which the method gradient asks with, got concept/,
    );
    await expect(rank("gradient.safetensors", "concept-influence")).rejects.toThrow(
      /expected one of concept features/,
    );
  });

  it("along a training run have a vector for each state that it kept", async () => {
    const manifest = JSON.parse(await readFile(join(at("less"), "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({ layers: [2, 4], features: { run: { steps: [2, 4] } } });
    const run = JSON.parse(await readFile(join(at("warmup"), "train.json"), "utf8"));
    expect(run).toMatchObject({ data: { examples: 12 }, result: { steps: 4 } });
  });

  it("are refused along a run that is none, kept no states or is of another checkpoint", async () => {
    const words = [at("pairs.jsonl"), "--checkpoint", at("sft"), "--layers", "all"];
    const along = (warmup: string): Promise<string> =>
      runCommand("embed", [...words, "--features", "less", "--warmup", warmup, "--out", at("no")]);
    await expect(along(at("sft"))).rejects.toThrow(/expected the folder of a training run/);
    const plain = ["--learning-rate", "1e-3", "--max-steps", "1", "--out", at("plain")];
    await runCommand("train", [at("pairs.jsonl"), "--checkpoint", at("sft"), ...plain]);
    await expect(along(at("plain"))).rejects.toThrow(/that kept its states, got one without/);
    await makeTinyCheckpoint(at("other"), { seed: 2 });
    await trainWarmup("elsewhere", at("other"));
    await expect(along(at("elsewhere"))).rejects.toThrow(/got one from another checkpoint/);
  });

  it.each(["gradient", "influence", "less"])(
    "of one pair that are not finite leave the others as they are: %s",
    async (features) => {
      // In weights behind which nothing is multiplied beyond bounds.
      const own = { less: ["--warmup", at("odd-warmup")], gradient: ["--parameters", "q_proj"] };
      const along = own[features as keyof typeof own] ?? [];
      const layers = features === "influence" ? "2" : "all";
      const how = ["--layers", layers, "--features", features, ...SKETCH, "--threads", "1"];
      const embed = async (pairs: string): Promise<Float32Array[]> => {
        const out = at(`${features}-${pairs}`);
        const words = [at(pairs), "--checkpoint", at("odd"), ...how, ...along, "--out", out];
        await runCommand("embed", words);
        const store = await openStore(out);
        const found: Float32Array[] = [];
        for (const row of Array.from({ length: store.rows }).keys()) {
          const layer = store.manifest.layers.at(-1)!;
          found.push((await readStoreVector(store, layer, row)).values);
        }
        return found;
      };
      const good = await embed("good.jsonl");
      const [odd, ...others] = await embed("one-bad.jsonl");
      expect(odd!.every((value) => value === 0)).toBe(true);
      for (const [i, vector] of others.entries()) {
        expect(relativeError(vector, good[i]!)).toBeLessThan(1e-3); // half precision
      }
      const list = await readFile(
        join(at(`${features}-one-bad.jsonl`), "not-finite.jsonl"),
        "utf8",
      );
      expect(list.split("\n").map((line) => line && JSON.parse(line))).toMatchObject([
        { id: "odd", fileRow: 0 },
        "",
      ]);
    },
  );

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
