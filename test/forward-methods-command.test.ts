/** @file Methods that ask the checkpoint or an endpoint, from the command line: what they say of themselves, what they keep, what they refuse. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { readRanking } from "../src/ranking/ranking-file.ts";
import { RANK_REPORT, type RankingReport } from "../src/ranking/ranking-report.ts";
import { jsonLines } from "./support/data-files.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const FOLDER = suiteFolder();
const at = (name: string): string => join(FOLDER, name);
const [CHECKPOINT, PAIRS, RESPONSES, BEHAVIOR] = [
  "sft",
  "pairs.jsonl",
  "responses.jsonl",
  "behavior.safetensors",
].map(at) as [string, string, string, string];
const OF_PAIRS = ["--pairs", PAIRS];
const ON_CHECKPOINT = [...OF_PAIRS, "--checkpoint", CHECKPOINT];
const ROWS = 24;

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  await writeFile(PAIRS, jsonLines(randomPairs(ROWS)));
  const responses = randomPairs(12, 5).map(({ id, prompt, chosen, rejected }) => ({
    id,
    prompt,
    before: rejected,
    after: chosen,
  }));
  await writeFile(RESPONSES, jsonLines(responses));
  const made = [RESPONSES, "--checkpoint", CHECKPOINT, "--layers", "1,2", "--out", BEHAVIOR];
  await runCommand("behavior", [...made, "--splits", "4", "--flips", "4"]);
});

interface Ranked {
  readonly report: RankingReport;
  readonly warnings: readonly string[];
  readonly out: string;
}

let runs = 0;
async function rank(...words: string[]): Promise<Ranked> {
  const out = at(`${runs++}.jsonl`);
  const warnings: string[] = [];
  const places = ["--out", out, "--report", `${out}.json`];
  await runCommand("rank", [...words, ...places], (line) => void warnings.push(line));
  const { rankings } = await RANK_REPORT.read(`${out}.json`);
  return { report: rankings[0]!, warnings, out };
}

const refusal = (...words: string[]): Promise<string> =>
  runCommand("rank", words).catch((error: Error) => error.message);

async function scoresOf(out: string): Promise<ReadonlyMap<string, number>> {
  const { ids, scores } = await readRanking(out);
  return new Map(ids.map((id, i) => [id, scores[i]!]));
}

describe("projection-difference", () => {
  const words = [...ON_CHECKPOINT, "--method", "projection-difference", "--behavior", BEHAVIOR];

  it("is the probe's projection where nothing else is given", async () => {
    const store = at("vectors");
    await runCommand("embed", [PAIRS, "--checkpoint", CHECKPOINT, "--layers", "2", "--out", store]);
    const probe = [store, "--behavior", BEHAVIOR, "--layers", "2", "--scorer", "projection"];
    const [own, other] = [await rank(...words, "--layers", "2"), await rank(...probe)];
    const [found, wanted] = [await scoresOf(own.out), await scoresOf(other.out)];
    const largest = Math.max(...[...wanted.values()].map(Math.abs));
    for (const [id, score] of found) {
      // The store holds half precision.
      expect(Math.abs(score - wanted.get(id)!)).toBeLessThan(2e-3 * largest);
    }
    expect(own.report.remarks).toEqual([
      "Held to the rejected responses: no rollouts of the checkpoint were given.",
    ]);
  });

  it("refuses rollouts of another checkpoint, and those of other prompts", async () => {
    const prompts = at("prompts.jsonl");
    const other = await makeTinyCheckpoint(at("other"), { seed: 2 });
    await writeFile(prompts, jsonLines(randomPairs(ROWS).map(({ prompt }) => ({ prompt }))));
    const sample = ["--max-tokens", "4", "--temperature", "1"];
    const [own, foreign] = [at("own.jsonl"), at("foreign.jsonl")];
    const unique = [...new Set(randomPairs(ROWS).map(({ prompt }) => prompt))];
    await writeFile(prompts, jsonLines(unique.map((prompt) => ({ prompt }))));
    for (const [checkpoint, out] of [
      [CHECKPOINT, own],
      [other, foreign],
    ] as const) {
      await runCommand("generate", [prompts, "--checkpoint", checkpoint, ...sample, "--out", out]);
    }
    const { report } = await rank(...words, "--layers", "2", "--rollouts", own);
    expect(report).toMatchObject({
      scored: ROWS,
      remarks: [`Held to the checkpoint's own answers to ${unique.length} prompts.`],
    });
    expect(await refusal(...words, "--rollouts", foreign)).toMatch(
      /foreign\.jsonl: expected rollouts of .*sft, got those of another checkpoint/,
    );
    const elsewhere = at("elsewhere.jsonl");
    const [line] = (await readFile(own, "utf8")).split("\n");
    const rollout = JSON.parse(line!) as object;
    const prompt = [{ role: "user", content: "Nobody asked this." }];
    await writeFile(elsewhere, jsonLines([{ ...rollout, prompt }]));
    expect(await refusal(...words, "--rollouts", elsewhere)).toMatch(
      /expected rollouts of the pairs' prompts, got none of \d+ prompts/,
    );
  });
});

describe("steered-likelihood", () => {
  const words = [...ON_CHECKPOINT, "--method", "steered-likelihood", "--behavior", BEHAVIOR];

  it("ranks at every layer of the behaviour, or at the one asked for, and says nothing at strength 0", async () => {
    const text = await runCommand("rank", [...words, "--json"]);
    const { rankings } = JSON.parse(text) as { readonly rankings: readonly RankingReport[] };
    expect(rankings.map(({ layer }) => layer)).toEqual([1, 2]);
    const { warnings } = await rank(...words, "--layers", "1", "--strength", "0");
    expect(warnings.join()).toMatch(
      /layer 1: all 24 scores are the same: the ranking is the order/,
    );
  });

  it("refuses a behaviour of another checkpoint, a layer that it has not, and what it has no use for", async () => {
    const other = ["--pairs", PAIRS, "--checkpoint", at("other"), "--behavior", BEHAVIOR];
    expect(await refusal(...other, "--method", "steered-likelihood")).toMatch(
      /behavior "behavior": expected the checkpoint of .*other/,
    );
    expect(await refusal(...words, "--layers", "3")).toMatch(
      /layer 3 is not in both: the checkpoint has/,
    );
    expect(await refusal(...words, "--null-behavior", BEHAVIOR)).toMatch(
      /^--null-behavior: expected none beside the method steered-likelihood/,
    );
    const without = [...ON_CHECKPOINT, "--method", "steered-likelihood"];
    expect(await refusal(...without)).toBe(
      "--behavior: expected one, which the method steered-likelihood needs, got none",
    );
  });
});

describe("loss-diff", () => {
  const words = [...ON_CHECKPOINT, "--method", "loss-diff", "--responses", RESPONSES];
  const TRAINED = ["--learning-rate", "0.02", "--epochs", "6", "--beta", "1"];

  it("says that it learnt, and trains once for the same data and settings", async () => {
    const cache = at("kept");
    const first = await rank(...words, ...TRAINED, "--cache", cache);
    expect(first.warnings).toEqual([]);
    expect(first.report.figures!["trainLoss"]).toBeLessThan(0.6);
    expect(first.report.remarks![0]).toMatch(
      /^Training on 12 response pairs took their loss from 0\.693 to 0\./,
    );
    const [made] = await readdir(cache);
    const weights = join(cache, made!, "adapter_model.safetensors");
    const before = await readFile(weights);
    const again = await rank(...words, ...TRAINED, "--cache", cache);
    expect(await readdir(cache)).toEqual([made]);
    expect((await readFile(weights)).equals(before)).toBe(true);
    expect(await scoresOf(again.out)).toEqual(await scoresOf(first.out));
    await rank(...words, ...TRAINED, "--cache", cache, "--rank", "2");
    expect(await readdir(cache)).toHaveLength(2);
  });

  it("warns where the training did not learn", async () => {
    const { warnings } = await rank(...words, "--learning-rate", "1e-9");
    expect(warnings).toEqual([
      expect.stringMatching(
        /^method loss-diff: the training did not learn, so that the scores say little: .* from 0\.693 to 0\.69/,
      ),
    ]);
  });

  it("trains every weight of a checkpoint with an adapter, beside which there is no second one", async () => {
    const adapter = at("adapter");
    const made = [PAIRS, "--checkpoint", CHECKPOINT, "--lora", "--rank", "2", "--max-steps", "1"];
    await runCommand("train", [...made, "--learning-rate", "1e-3", "--out", adapter]);
    expect(await refusal(...words, "--adapter", adapter)).toMatch(
      /^--rank: expected 0, which trains every weight, for a checkpoint with an adapter/,
    );
    const whole = [...words, "--adapter", adapter, "--rank", "0", "--epochs", "2"];
    const { report } = await rank(...whole, "--learning-rate", "1e-3");
    expect(report.scored).toBe(ROWS);
  });

  it("needs a checkpoint, and response pairs", async () => {
    expect(await refusal(...OF_PAIRS, "--method", "loss-diff", "--responses", RESPONSES)).toBe(
      "--checkpoint: expected one, which the method loss-diff needs, got none",
    );
    expect(await refusal(...ON_CHECKPOINT, "--method", "loss-diff")).toBe(
      "--responses: expected one, which the method loss-diff needs, got none",
    );
  });
});

describe("embedding", () => {
  const words = [...OF_PAIRS, "--method", "embedding", "--responses", RESPONSES];
  const vector = (text: string): number[] => [text.length, text.split(" ").length, 1];

  it("asks the endpoint once for each text, keeps the vectors, and says beforehand what it takes", async () => {
    await using server = await startFakeEndpoint({ embedding: vector });
    const asked = [...words, "--base-url", server.url, "--model", "e"];
    const texts = new Set([
      ...randomPairs(ROWS).flatMap(({ chosen, rejected }) => [chosen, rejected]),
      ...randomPairs(12, 5).map(({ chosen }) => chosen),
    ]).size;
    const estimate = await runCommand("rank", [
      ...asked,
      "--dry-run",
      "--price-in",
      "1",
      "--price-out",
      "0",
    ]);
    expect(estimate).toMatch(new RegExp(`^${ROWS} pairs: ${texts} requests, `));
    expect(server.counts.requests).toBe(0);
    const answers = ["--answers", at("vectors.jsonl")];
    const first = await rank(...asked, ...answers);
    expect(server.counts.requests).toBe(texts);
    expect(first.report).toMatchObject({
      scored: ROWS,
      remarks: ["Embedded by the model e, 12 after-responses."],
    });
    const again = await rank(...asked, ...answers);
    expect(server.counts.requests).toBe(texts);
    expect(await scoresOf(again.out)).toEqual(await scoresOf(first.out));
  });

  it("does without an endpoint by the checkpoint's states", async () => {
    const { report } = await rank(...words, "--checkpoint", CHECKPOINT);
    expect(report.remarks).toEqual([
      expect.stringMatching(
        /^Embedded by the states of .*sft after its last block, 12 after-responses\.$/,
      ),
    ]);
  });

  it("refuses neither and both, too many neighbours, and vectors of two lengths", async () => {
    expect(await refusal(...words)).toBe(
      "--base-url: expected either endpoint or checkpoint, which the method embedding needs, got none",
    );
    await using server = await startFakeEndpoint({
      embedding: (text) => (text.length % 2 === 0 ? [1, 2] : [1, 2, 3]),
    });
    const asked = ["--base-url", server.url, "--model", "e", "--out", at("mixed.jsonl")];
    expect(await refusal(...words, ...asked, "--checkpoint", CHECKPOINT)).toBe(
      "--checkpoint: expected either endpoint or checkpoint, which the method embedding needs, got endpoint and checkpoint",
    );
    expect(await refusal(...words, ...asked)).toMatch(
      /embeddings: expected all of \d numbers, got one of \d/,
    );
    expect(await refusal(...words, "--checkpoint", CHECKPOINT, "--neighbours", "99")).toBe(
      "--neighbours: expected at most 12, as many as there are after-responses, got 99",
    );
  });
});
