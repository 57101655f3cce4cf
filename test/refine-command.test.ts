/** @file `culprit refine` as users run it: the second of two passes over pairs. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, it, vi } from "vitest";

import { rankStore } from "../src/attribution/rank-store.ts";
import { readBehavior } from "../src/behavior/behavior-file.ts";
import { readRows } from "../src/pairs/readers/read-rows.ts";
import type { RankReport } from "../src/ranking/ranking-report.ts";
import { openStore } from "../src/store/open-store.ts";
import { readStoreTable } from "../src/store/read-shard.ts";
import { readStoreNorms } from "../src/store/stream-blocks.ts";
import { ConfigError } from "../src/util/errors.ts";
import { expectFailure } from "./support/errors.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 120_000 });

const folder = suiteFolder();
const at = (name: string): string => join(folder, name);
const ORGANISM = join(import.meta.dirname, "../organisms/distractor");
const PAIRS = join(ORGANISM, "pairs.jsonl.gz");
const MODEL = ["--checkpoint", join(ORGANISM, "checkpoint"), "--threads", "1"];
const LIMIT = ["--limit", "900"];

const embed = (out: string, ...more: string[]): Promise<string> =>
  runCommand("embed", [PAIRS, ...MODEL, ...LIMIT, "--layers", "1,2", "--out", at(out), ...more]);
const refineWords = (out: string, ...more: string[]): string[] => [
  at("first"),
  "--behavior",
  at("complies.safetensors"),
  "--pairs",
  PAIRS,
  ...LIMIT,
  ...MODEL,
  "--layers",
  "2",
  "--top",
  "20",
  "--audit",
  "60",
  "--out",
  at(out),
  ...more,
];
const refine = (out: string, ...more: string[]): Promise<string> =>
  runCommand("refine", refineWords(out, ...more));

const commandWarnings = async (name: string, words: readonly string[]): Promise<string[]> => {
  const warnings: string[] = [];
  await runCommand(name, words, (line) => void warnings.push(line));
  return warnings;
};

/** Every file of a store that counts. */
const bytesOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(at(name))
      .filter((file) => file.endsWith(".safetensors") || file.endsWith(".json"))
      .map((file) => [file, readFileSync(join(at(name), file)).toString("base64")]),
  );

beforeAll(async () => {
  const responses: string[] = [];
  for await (const row of readRows(PAIRS)) {
    if (row.kind === "broken" || row.fields["planted"] !== true) continue;
    const { id, prompt, rejected: before, chosen: after } = row.fields;
    if (responses.push(JSON.stringify({ id, prompt, before, after })) === 40) break;
  }
  writeFileSync(at("responses.jsonl"), responses.join("\n"));
  for (const [name, precision] of [
    ["complies", []] as const,
    ["rounded", ["--precision", "W8A8"]] as const,
  ]) {
    const out = ["--name", name, "--layers", "1,2", "--out", at(`${name}.safetensors`)];
    await runCommand("behavior", [at("responses.jsonl"), ...MODEL, ...out, ...precision]);
  }
  await embed("exact");
  await embed("first", "--precision", "W8A8");
}, 120_000);

describe("culprit refine", () => {
  it("holds the exact top, and says how far the others are off", async () => {
    const printed = await refine("vectors");
    const [exact, first, refined] = await Promise.all(
      ["exact", "first", "vectors"].map((name) => openStore(at(name))),
    );
    const { refined: said, checkpoint } = refined!.manifest;
    expect(checkpoint.precision).toBeUndefined();
    expect(said).toMatchObject({ precision: "W8A8", scorer: "cosine", recall: 0.99 });
    const [top] = said!.tops;
    expect(top).toMatchObject({ behavior: "complies", layer: 2, pairs: 20 });
    expect(top!.recallLow).toBeGreaterThanOrEqual(0.99);
    expect(said!.audit).toEqual([
      expect.objectContaining({ layer: 2, pairs: 60, worseShare: 1 - 0.05 ** (1 / 60) }),
    ]);
    expect(printed).toContain(`${said!.exactPairs} of 900 pairs read again in F32`);
    // A second pass that reads nearly all of them is none.
    expect(said!.exactPairs).toBeLessThan(300);

    const behavior = await readBehavior(at("complies.safetensors"));
    const scoresOf = async (store: typeof exact): Promise<Float32Array> =>
      (await rankStore(store!, [behavior], { layers: [2], nullDirections: 0 }))[0]!.scores;
    const [truth, found] = [await scoresOf(exact), await scoresOf(refined)];
    const topOf = (scores: Float32Array): ReadonlySet<number> =>
      new Set([...scores.keys()].toSorted((a, b) => scores[b]! - scores[a]!).slice(0, 20));
    expect(topOf(found)).toEqual(topOf(truth));
    // All of what was read again is exact, and nothing else: other batches, so other last digits.
    const off = truth.map((score, row) => Math.abs(score - found[row]!));
    expect(off.filter((each) => each < 2e-5).length).toBeGreaterThanOrEqual(said!.exactPairs);
    expect(off.filter((each) => each > 1e-4).length).toBeGreaterThan(300);
    // What is not exact is what the first store has, norms too.
    const [ownNorms, firstNorms] = [
      await readStoreNorms(refined!, 1),
      await readStoreNorms(first!, 1),
    ];
    expect(ownNorms.filter((each, row) => each === firstNorms[row]).length).toBeGreaterThanOrEqual(
      900 - said!.exactPairs,
    );
    const [tables, others] = [await readStoreTable(refined!), await readStoreTable(exact!)];
    expect(tables).toEqual(others);
  });

  it("is told by rankings, and doubted where it is not of their own top", async () => {
    const report = async (...words: string[]): Promise<RankReport["rankings"][number]> => {
      const given = [at("vectors"), "--json", "--no-text", "--layers", "2", ...words];
      return (JSON.parse(await runCommand("rank", given)) as RankReport).rankings[0]!;
    };
    const own = ["--behavior", at("complies.safetensors")];
    const ranked = await report(...own);
    expect(ranked.refined).toMatchObject({ precision: "W8A8", top: { pairs: 20, layer: 2 } });
    expect((await report(...own, "--scorer", "projection")).refined?.top).toBeUndefined();
    const words = [at("vectors"), ...own, "--no-text"];
    expect(await runCommand("rank", [...words, "--layers", "2"])).toMatch(
      /vectors are exact, the others of W8A8: of the exact top 20 they hold [\d.]+% \(expected; no less than [\d.]+% at 95%\)/,
    );
    expect(await commandWarnings("rank", [...words, "--layers", "2"])).toEqual([]);
    expect(await commandWarnings("rank", [...words, "--layers", "1"])).toEqual([
      expect.stringContaining("its vectors are of precision W8A8 but for pairs"),
    ]);
  });

  it("goes on where it was interrupted, to the same bytes", async () => {
    const whole = bytesOf("vectors");
    const round = join(at("vectors"), "exact-rounds/00");
    const before = statSync(join(round, "shard-00000.safetensors")).mtimeMs;
    for (const name of ["complete.json", "shard-00000.safetensors"])
      rmSync(join(at("vectors"), name));
    await refine("vectors");
    expect(bytesOf("vectors")).toEqual(whole);
    expect(statSync(join(round, "shard-00000.safetensors")).mtimeMs).toBe(before); // not read again
    rmSync(at("vectors"), { recursive: true });
    await refine("vectors");
    expect(bytesOf("vectors")).toEqual(whole);
  });

  it("widens by itself where the sample says that the top is not safe", async () => {
    await embed("coarse", "--precision", "INT4");
    const coarse = (out: string, recall: string): Promise<string> => {
      const [, ...words] = refineWords(out, "--top", "150", "--recall", recall);
      return runCommand("refine", [at("coarse"), ...words]);
    };
    await coarse("narrow", "0.01");
    await coarse("wide", "0.99");
    const [narrow, wide] = await Promise.all(["narrow", "wide"].map((name) => openStore(at(name))));
    const { rounds, exactPairs } = wide!.manifest.refined!;
    expect(rounds).toBeGreaterThan(1);
    expect(exactPairs).toBeGreaterThan(narrow!.manifest.refined!.exactPairs);
    expect(readdirSync(join(at("wide"), "exact-rounds"))).toHaveLength(rounds);
  });

  it.each<[string, (words: string[]) => string[], string]>([
    [
      "vectors that are exact",
      ([, ...words]) => [at("exact"), ...words],
      "store: expected vectors of low precision, those of",
    ],
    [
      "a store that was refined",
      ([, ...words]) => [at("vectors"), ...words],
      "was refined already",
    ],
    [
      "other pairs",
      (words) => words.map((word) => (word === "900" ? "800" : word)),
      "pairs: expected those that",
    ],
    [
      "a behaviour of low precision",
      (words) => words.map((word) => word.replace("complies.", "rounded.")),
      "expected one of F32, got W8A8",
    ],
    [
      "another template",
      (words) => [...words, "--template", "raw"],
      "checkpoint: expected the chat template that",
    ],
    ["a recall of 1", (words) => [...words, "--recall", "1"], "--recall"],
    ["a layer that is not there", (words) => [...words, "--layers", "3"], "layer 3 is not in both"],
  ])("refuses %s", async (_name, change, message) => {
    const words = change(refineWords("refused"));
    const error = await expectFailure(runCommand("refine", words), ConfigError);
    expect(error.message).toContain(message);
    expect(existsSync(join(at("refused"), "complete.json"))).toBe(false);
  });
});
