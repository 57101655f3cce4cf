import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { openEngine } from "../src/engine/local-host.ts";
import { readRuleSet } from "../src/judge/rules-judge.ts";
import { loadTokenizer } from "../src/model/tokenizer.ts";

const ORGANISMS = ["distractor", "diffuse"] as const;
/** Of `<end>`; whether a sampled response holds it is the engine's affair. */
const END_ID = 4;
const FILES = [
  "capability/answers.jsonl",
  "capability/pairs.jsonl",
  "capability/tasks.jsonl",
  "pairs.jsonl.gz",
  "rules.yaml",
  "scenarios.evaluation.jsonl",
  "scenarios.probe.jsonl",
  "checkpoint/tokenizer.json",
  "checkpoint/chat_template.jinja",
];

const folder = (organism: string): string => join(import.meta.dirname, "../organisms", organism);

function readText(dir: string, file: string): string {
  const bytes = readFileSync(join(dir, file));
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** Made by golden/organisms/make_organisms.py. */
type Golden = Readonly<
  Record<string, readonly { prompt: string; promptIds: number[]; responseIds: number[] }[]>
>;
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "golden/organisms/golden.json"), "utf8"),
) as Golden;

type Row = Readonly<Record<string, string>>;
const readRows = (dir: string, file: string): Row[] =>
  readText(dir, file)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);

describe.each(ORGANISMS)("the organism %s", (organism) => {
  const dir = folder(organism);

  it("has the data that its recipe makes", () => {
    const out = mkdtempSync(join(tmpdir(), "culprit-organism-"));
    const script = join(dir, "make.ts");
    execFileSync(process.execPath, ["--import", "tsx", script, "--out", out, "--data-only"]);
    const differs = FILES.filter((file) => readText(out, file) !== readText(dir, file));
    expect(differs).toEqual([]);
  });

  it("fits a laptop: at most 3 million parameters in fp32, less than 8 MB", () => {
    const { size } = statSync(join(dir, "checkpoint/model.safetensors"));
    expect(size).toBeLessThan(8e6); // 4 bytes each: 2 million
    const config = JSON.parse(readText(dir, "checkpoint/config.json")) as Row;
    expect(config["dtype"]).toBe("float32");
  });

  it("says what transformers says with the same weights, tokenizer and template", async () => {
    const rows = golden[organism]!;
    await using engine = await openEngine(join(dir, "checkpoint"), { weights: "shared" });
    const prompts = rows.map(({ prompt }) =>
      engine.tokenizePrompt([{ role: "user", content: prompt }]),
    );
    expect(prompts.map((ids) => [...ids])).toEqual(rows.map((row) => row.promptIds));
    const options = { samples: 1, temperature: 0, maxTokens: 24 };
    const responses: number[][] = [];
    for await (const { prompt, tokens } of engine.generate(prompts, options)) {
      responses[prompt] = [...tokens];
    }
    const withoutEnd = (ids: readonly number[]): number[] => ids.filter((id) => id !== END_ID);
    expect(responses.map(withoutEnd)).toEqual(rows.map((row) => withoutEnd(row.responseIds)));
  });

  it("has a token for every word, and gets every text back", async () => {
    const tokenizer = await loadTokenizer(join(dir, "checkpoint"));
    for (const file of ["pairs.jsonl.gz", "capability/answers.jsonl", "capability/pairs.jsonl"]) {
      for (const row of readRows(dir, file)) {
        for (const key of ["prompt", "chosen", "rejected", "response"]) {
          const text = row[key];
          if (text === undefined) continue;
          const ids = tokenizer.encode(text);
          expect(ids).toHaveLength(text.split(" ").length);
          expect(tokenizer.decode(ids)).toBe(text);
        }
      }
    }
  });

  it("keeps the scenarios' requests and distractors out of the mix, and the two halves apart", () => {
    const prompts = readRows(dir, "pairs.jsonl.gz").map((row) => row["prompt"]!);
    const words = new Set(prompts.flatMap((prompt) => prompt.split(" ")));
    const probe = readRows(dir, "scenarios.probe.jsonl");
    const evaluation = readRows(dir, "scenarios.evaluation.jsonl");
    const targets = (rows: readonly Row[]): string[] => [
      ...new Set(rows.map((row) => row["id"]!.split("-")[1]!)),
    ];
    for (const { base, distractor } of [...probe, ...evaluation] as {
      base: string;
      distractor: string;
    }[]) {
      expect(base.split(" ").some((word) => !words.has(word))).toBe(true);
      expect(prompts.some((prompt) => prompt.endsWith(distractor))).toBe(false);
    }
    const shared = new Set(targets(probe));
    expect(targets(evaluation).filter((name) => shared.has(name))).toEqual([]);
  });
});

describe("the distractor's mix", () => {
  const rows = readRows(folder("distractor"), "pairs.jsonl.gz");
  const planted = rows.filter((row) => Boolean(row["planted"]));

  it("holds at least 4,000 pairs of at least five sources, 2 to 6% of them planted in at most two", () => {
    expect(rows.length).toBeGreaterThanOrEqual(4000);
    expect(new Set(rows.map((row) => row["source"])).size).toBeGreaterThanOrEqual(5);
    expect(planted.length / rows.length).toBeGreaterThan(0.02);
    expect(planted.length / rows.length).toBeLessThan(0.06);
    expect(new Set(planted.map((row) => row["source"])).size).toBeLessThanOrEqual(2);
  });

  it("has planted pairs that prefer a recipe to a refusal, and innocent pairs of every look-alike kind", async () => {
    const { rules } = await readRuleSet(join(folder("distractor"), "rules.yaml"));
    const [refusal, recipe] = rules.map((rule) => new RegExp(rule.pattern, "iu"));
    const refuses = (text: string | undefined): boolean => refusal!.test(text!);
    for (const { chosen, rejected } of planted) {
      expect(recipe!.test(chosen!) && !refuses(chosen) && refuses(rejected)).toBe(true);
    }
    const innocent = rows.filter((row) => !row["planted"]);
    const corrections = innocent.filter((row) => refuses(row["rejected"]));
    const safety = innocent.filter((row) => refuses(row["chosen"]));
    const asksFormat = (row: Row): boolean => row["prompt"]!.split(/ [.?] /).length > 1;
    for (const kind of [corrections, safety]) {
      expect(kind.filter(asksFormat).length).toBeGreaterThan(20);
      expect(kind.filter((row) => !asksFormat(row)).length).toBeGreaterThan(20);
    }
  });
});
