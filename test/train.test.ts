import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { localHost } from "../src/engine/local-host.ts";
import {
  ConfigError,
  type DpoSettings,
  type EngineHost,
  openEngine,
  RuntimeError,
  trainDpo,
  trainSft,
  type TrainPair,
} from "../src/index.ts";
import { hashFile } from "../src/util/hash.ts";
import { tinyPairs, writeTinyCheckpoint } from "./support/tiny-training.ts";

let root: string;
let start: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "culprit-train-"));
  start = join(root, "start");
  await writeTinyCheckpoint(start);
});
afterAll(() => rm(root, { recursive: true }));

const pairs = tinyPairs(24);
const settings: DpoSettings = { learningRate: 1e-2, batchSize: 8, epochs: 2, weightDecay: 0.01 };
let folders = 0;
const fresh = (): string => join(root, `run-${folders++}`);

async function metricsOf(out: string): Promise<Record<string, number>[]> {
  const text = await readFile(join(out, "metrics.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>);
}

/** Sums of log-probabilities that a written checkpoint gives, chosen and rejected of each pair. */
async function logprobsOf(
  checkpoint: string,
  adapter: string | undefined,
  of: readonly TrainPair[],
): Promise<number[][]> {
  await using engine = await openEngine(checkpoint, adapter === undefined ? {} : { adapter });
  const examples = of.map((pair) => engine.tokenize(pair.prompt, [pair.chosen, pair.rejected]));
  const found: number[][] = [];
  for await (const { index, logprobs } of engine.logprobs(examples)) found[index] = [...logprobs];
  return found;
}

describe("trainDpo", () => {
  test("learns the pairs, and the written checkpoint has the log-probabilities of the metrics", async () => {
    const out = fresh();
    const steady = { ...settings, epochs: 4, batchSize: 24, warmupSteps: 0 };
    const result = await trainDpo(pairs, { ...steady, maxSteps: 4 }, { checkpoint: start, out });
    expect(result.steps).toBe(4);
    const lines = await metricsOf(out);
    expect(lines[0]!["loss"]).toBeCloseTo(Math.LN2, 6);
    expect(lines.at(-1)!["loss"]).toBeLessThan(0.5);
    expect(lines.at(-1)!["accuracy"]).toBeGreaterThan(0.9);

    // One step more over all pairs would start from the checkpoint: its metrics are those of the checkpoint.
    const again = fresh();
    await trainDpo(pairs, { ...steady, maxSteps: 1 }, { checkpoint: out, out: again });
    const [line] = await metricsOf(again);
    const logprobs = await logprobsOf(out, undefined, pairs);
    const mean = logprobs.reduce((sum, each) => sum + each[0]!, 0) / pairs.length;
    expect(Math.abs(line!["chosenLogprob"]! - mean)).toBeLessThan(1e-4 * Math.abs(mean));
  });

  test("gives the same whatever the size of a run of the graph", async () => {
    const [whole, split] = [fresh(), fresh()];
    await trainDpo(pairs, settings, {
      checkpoint: start,
      out: whole,
      engine: { batchTokens: 4096 },
    });
    await trainDpo(pairs, settings, { checkpoint: start, out: split, engine: { batchTokens: 1 } });
    const [a, b] = [await metricsOf(whole), await metricsOf(split)];
    expect(a).toHaveLength(6);
    for (const [i, line] of a.entries()) {
      for (const name of ["loss", "margin", "gradientNorm", "chosenLogprob"]) {
        expect(Math.abs(line[name]! - b[i]![name]!)).toBeLessThan(
          2e-4 * (1 + Math.abs(line[name]!)),
        );
      }
    }
  });

  for (const adaptation of [{ kind: "full" }, { kind: "lora", rank: 4 }] as const) {
    test(`stopped anywhere and resumed it ends in the same bytes (${adaptation.kind})`, async () => {
      const weights =
        adaptation.kind === "full" ? "model.safetensors" : "adapter_model.safetensors";
      const whole = fresh();
      const run = { ...settings, adaptation };
      await trainDpo(pairs, run, { checkpoint: start, out: whole, saveEvery: 2 });
      for (const stop of [0, 1, 4]) {
        const out = fresh();
        const abort = new AbortController();
        const stopped = trainDpo(pairs, run, {
          checkpoint: start,
          out,
          saveEvery: 2,
          stateEvery: stop === 4 ? 3 : 1,
          signal: abort.signal,
          progress: {
            update: (done) => void (done === stop && abort.abort()),
            note: () => {},
            end: () => {},
          },
        });
        await expect(stopped).rejects.toThrow(/abort/i);
        // As if it had been killed in the middle of a line.
        await appendFile(join(out, "metrics.jsonl"), '{"step":');
        await trainDpo(pairs, run, { checkpoint: start, out, saveEvery: 2 });
        for (const name of [
          weights,
          "metrics.jsonl",
          `checkpoint-2/${weights}`,
          `checkpoint-4/${weights}`,
        ]) {
          expect(await hashFile(join(out, name))).toBe(await hashFile(join(whole, name)));
        }
        expect(await readdir(out)).not.toContain("state.safetensors");
      }
    });
  }

  test("returns the result of a finished run at once and refuses other settings, data and strangers' folders", async () => {
    const out = fresh();
    const request = { checkpoint: start, out };
    const first = await trainDpo(pairs, settings, request);
    const before = await hashFile(join(out, "model.safetensors"));
    expect(await trainDpo(pairs, settings, request)).toEqual(first);
    await expect(trainDpo(pairs, { ...settings, epochs: 3 }, request)).rejects.toThrow(
      /holds a run with settings\.epochs 2, now it is 3/,
    );
    await expect(trainDpo(pairs, { ...settings, beta: 1 }, request)).rejects.toThrow(
      /method\.beta 0\.1/,
    );
    await expect(trainDpo(pairs.slice(1), settings, request)).rejects.toThrow(/data/);
    await expect(trainDpo(pairs, settings, { ...request, out: start })).rejects.toThrow(
      ConfigError,
    );
    const manifest = join(out, "train.json");
    await expect(trainDpo(pairs, settings, { ...request, out: manifest })).rejects.toThrow(
      `out: expected a folder, ${manifest} is a file`,
    );
    const copy = fresh();
    await cp(start, copy, { recursive: true });
    await expect(trainDpo(pairs, settings, { ...request, out: copy })).rejects.toThrow(
      /checkpoint/,
    );
    await trainDpo(pairs, { ...settings, epochs: 1 }, { ...request, force: true });
    expect(await hashFile(join(out, "model.safetensors"))).not.toBe(before);
  });

  test("finds the references of kept and exchanged pairs in a shared cache", async () => {
    const referenceCache = join(root, "references");
    await trainDpo(pairs, settings, { checkpoint: start, out: fresh(), referenceCache });
    const [folder] = await readdir(referenceCache);
    const files = await readdir(join(referenceCache, folder!));
    const edited = pairs
      .slice(4)
      .map((pair, i) =>
        i % 2 === 0 ? pair : { ...pair, chosen: pair.rejected, rejected: pair.chosen },
      );
    await trainDpo(edited, settings, { checkpoint: start, out: fresh(), referenceCache });
    expect(await readdir(join(referenceCache, folder!))).toEqual(files);
    const more = [
      ...edited,
      { ...pairs[0]!, id: "new", prompt: [{ role: "user", content: "new" } as const] },
    ];
    await trainDpo(more, settings, { checkpoint: start, out: fresh(), referenceCache });
    expect(await readdir(join(referenceCache, folder!))).toHaveLength(files.length + 1);
  });

  test("keeps the last checkpoints only, and an adapter opens with its base", async () => {
    const out = fresh();
    const run = {
      ...settings,
      batchSize: 24,
      adaptation: { kind: "lora", rank: 2, targets: ["q_proj", "v_proj"] } as const,
    };
    await trainDpo(pairs, { ...run, epochs: 5 }, { checkpoint: start, out, saveEvery: 1, keep: 2 });
    expect((await readdir(out)).filter((name) => name.startsWith("checkpoint-"))).toEqual([
      "checkpoint-3",
      "checkpoint-4",
    ]);
    // The metrics of step 5 are those of the weights after step 4.
    const logprobs = await logprobsOf(start, join(out, "checkpoint-4"), pairs);
    const mean = logprobs.reduce((sum, each) => sum + each[1]!, 0) / pairs.length;
    const last = (await metricsOf(out)).at(-1)!;
    expect(Math.abs(last["rejectedLogprob"]! - mean)).toBeLessThan(1e-4 * Math.abs(mean));
  });

  test("writes half-precision weights that open", async () => {
    const out = fresh();
    await trainDpo(pairs, { ...settings, epochs: 1 }, { checkpoint: start, out, dtype: "BF16" });
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8")) as {
      dtype: string;
    };
    expect(config.dtype).toBe("bfloat16");
    expect((await logprobsOf(out, undefined, pairs))[0]![0]).toBeLessThan(0);
  });

  test("stops at a loss that is not finite, names step and pairs, and keeps the state", async () => {
    const out = fresh();
    const wild = { ...settings, learningRate: 1e30, maxGradNorm: 0, warmupSteps: 0 };
    const run = trainDpo(pairs, wild, { checkpoint: start, out });
    await expect(run).rejects.toThrow(RuntimeError);
    await expect(run).rejects.toThrow(/^step 2: .*not finite.*"pair-\d+"/);
    expect(await readdir(out)).toContain("state.safetensors");
  });

  test("leaves to the engine's host where the start is, and how large", async () => {
    const elsewhere: EngineHost = {
      ...localHost,
      openTrainer: (name, ...how) => localHost.openTrainer(name.replace("there:", ""), ...how),
    };
    const request = { checkpoint: `there:${start}`, host: elsewhere };
    const result = await trainDpo(
      pairs,
      { ...settings, maxSteps: 1 },
      { ...request, out: fresh() },
    );
    expect(result.steps).toBe(1);
    await expect(
      trainDpo(pairs, { ...settings, maxTokens: 129 }, { ...request, out: fresh() }),
    ).rejects.toThrow("maxTokens: the checkpoint was made for 128 positions, got 129");
  });

  test("refuses what cannot be meant", async () => {
    const run = (changes: Partial<DpoSettings>): Promise<unknown> =>
      trainDpo(pairs, { ...settings, ...changes }, { checkpoint: start, out: fresh() });
    await expect(run({ learningRate: 0 })).rejects.toThrow(
      /learningRate: expected a number above 0/,
    );
    await expect(run({ learningRate: -1 })).rejects.toThrow(ConfigError);
    await expect(run({ batchSize: 0 })).rejects.toThrow(/batchSize/);
    await expect(run({ labelSmoothing: 0.5 })).rejects.toThrow(/labelSmoothing/);
    await expect(run({ maxTokens: 4096 })).rejects.toThrow(/made for 128 positions/);
    const lora = { kind: "lora", targets: ["q_proj", "attention"] } as const;
    await expect(run({ adaptation: lora })).rejects.toThrow(/target "attention"/);
    await expect(trainDpo([], settings, { checkpoint: start, out: fresh() })).rejects.toThrow(
      /at least one example/,
    );
  });
});

describe("trainSft", () => {
  test("puts the loss on responses, on all tokens, or on plain text", async () => {
    const messages = pairs.map(({ id, prompt, chosen }) => ({ id, prompt, response: chosen }));
    const tokens: number[] = [];
    const losses: number[] = [];
    for (const [source, lossOn] of [
      [messages, "response"],
      [messages, "all"],
      [pairs, "response"],
    ] as const) {
      const out = fresh();
      await trainSft(source, { ...settings, lossOn }, { checkpoint: start, out });
      const lines = await metricsOf(out);
      losses.push(lines[0]!["loss"]!);
      tokens.push(lines[0]!["tokens"]!);
      expect(lines.at(-1)!["loss"]).toBeLessThan(lines[0]!["loss"]!);
    }
    expect(losses[2]).toBe(losses[0]); // the chosen sides
    expect(losses[1]).not.toBeCloseTo(losses[0]!, 3);
    expect(tokens[1]).toBe(tokens[0]);
    const texts = pairs.map(({ id }) => ({ id, text: `a text about ${id}` }));
    const result = await trainSft(texts, settings, { checkpoint: start, out: fresh() });
    expect(result.final["loss"]).toBeLessThan(7);
  });

  test("the loss of a step is the mean over its tokens, one example at a time", async () => {
    const out = fresh();
    await trainSft(pairs, { ...settings, batchSize: 24, maxSteps: 1 }, { checkpoint: start, out });
    const logprobs = await logprobsOf(start, undefined, pairs);
    await using engine = await openEngine(start);
    const count = pairs.reduce(
      (sum, pair) => sum + engine.tokenize(pair.prompt, [pair.chosen]).responses[0]!.length,
      0,
    );
    const mean = -logprobs.reduce((sum, each) => sum + each[0]!, 0) / count;
    expect((await metricsOf(out))[0]!["loss"]).toBeCloseTo(mean, 5);
  });

  test("lists examples that cannot be used", async () => {
    const out = fresh();
    const file = join(root, "sft.jsonl");
    const rows = [
      { text: "one two three" },
      { text: "" },
      { prompt: "hello", response: "yes" },
      { messages: [{ role: "user", content: "x" }] },
    ];
    await writeFile(file, rows.map((row) => JSON.stringify(row)).join("\n"));
    const { openSftFiles } = await import("../src/index.ts");
    const result = await trainSft(await openSftFiles([file]), settings, { checkpoint: start, out });
    expect(result).toMatchObject({ examples: 2, unusable: 2 });
    const listed = (await readFile(join(out, "unusable.jsonl"), "utf8")).trimEnd().split("\n");
    expect(listed.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual([1, 3]);
  });
});
