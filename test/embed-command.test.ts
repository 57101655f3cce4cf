/** `culprit embed` as a user runs it: what the store holds, and what is printed where. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";

import { openLocalEngine } from "../src/engine/local-engine.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { float32ToFloat16 } from "../src/util/float16.ts";
import { norm } from "../src/util/vector.ts";
import { relativeError } from "./support/close.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { type CliResult, runCli } from "./support/run-cli.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const PAIRS = join(ROOT, "pairs.jsonl");
const rows = randomPairs(25);

/** The command with the flags that most tests share. */
const embed = (out: string, ...more: string[]) =>
  runCli([
    "embed",
    PAIRS,
    "--checkpoint",
    CHECKPOINT,
    "--layers",
    "0,2-3",
    "--threads",
    "1",
    "--out",
    join(ROOT, out),
    ...more,
  ]);

interface ShardContent {
  readonly names: readonly string[];
  readonly ids: readonly string[];
  readonly columns: Record<string, unknown[]>;
  readonly count: number;
  bytes(name: string): Promise<ArrayBuffer>;
}

async function readShard(path: string): Promise<ShardContent> {
  await using file = await openSafetensors(path);
  const all = new Map<string, ArrayBuffer>();
  for (const name of file.tensors.keys()) {
    all.set(name, (await file.readBytes(name)).slice().buffer);
  }
  return {
    names: [...file.tensors].map(
      ([name, { dtype, shape }]) => `${name} ${dtype} [${shape.join()}]`,
    ),
    ids: JSON.parse(file.metadata["ids"]!) as string[],
    columns: JSON.parse(file.metadata["columns"]!) as Record<string, unknown[]>,
    count: file.tensors.get("tokens")!.shape[0]!,
    bytes: async (name) => all.get(name)!,
  };
}

/** The run that the first tests look at. */
let result: CliResult;

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  await writeFile(PAIRS, jsonLines(rows));
  result = await embed("fp32", "--dtype", "F32", "--shard-rows", "10", "--json");
});

describe("culprit embed", () => {
  it("writes chosen minus rejected of every pair, as the engine gives them one by one", async () => {
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({
      store: join(ROOT, "fp32"),
      pairs: 25,
      resumedPairs: 0,
      truncatedPairs: 0,
      unusable: { count: 0, byReason: {} },
    });
    expect((await readdir(join(ROOT, "fp32"))).toSorted()).toEqual([
      "complete.json",
      "manifest.json",
      "shard-00000.safetensors",
      "shard-00001.safetensors",
      "shard-00002.safetensors",
      "unusable.jsonl",
    ]);
    const shards = await Promise.all(
      [0, 1, 2].map((i) => readShard(join(ROOT, "fp32", `shard-0000${i}.safetensors`))),
    );
    expect(shards.map(({ count }) => count)).toEqual([10, 10, 5]);
    expect(shards[2]!.names.toSorted()).toEqual(
      [0, 2, 3]
        .flatMap((layer) => [`layer.${layer} F32 [5,32]`, `norm.${layer} F32 [5]`])
        .concat("row I32 [5]", "tokens I32 [5,3]")
        .toSorted(),
    );
    expect(shards.flatMap(({ ids }) => ids)).toEqual(rows.map(({ id }) => id));
    expect(shards.flatMap(({ columns }) => columns["source"]!)).toEqual(
      rows.map(({ source }) => source),
    );

    await using engine = await openLocalEngine(CHECKPOINT, { threads: 1 });
    for (const [i, { prompt, chosen, rejected }] of rows.entries()) {
      const shard = shards[Math.floor(i / 10)]!;
      const at = i % 10;
      const example = engine.tokenize(
        [{ role: "user", content: prompt }],
        [chosen, rejected].map((content) => [{ role: "assistant", content }]),
      );
      expect(
        Array.from(new Int32Array(await shard.bytes("tokens")).slice(3 * at, 3 * at + 3)),
      ).toEqual([example.prompt.length, ...example.responses.map((each) => each.length)]);
      expect(new Int32Array(await shard.bytes("row"))[at]).toBe(i);
      for await (const { means } of engine.embed([example], { layers: [0, 2, 3] })) {
        for (const [l, layer] of [0, 2, 3].entries()) {
          const want = means[0]!.map((x, j) => x - means[1]![j]!).subarray(32 * l, 32 * l + 32);
          const got = new Float32Array(await shard.bytes(`layer.${layer}`)).slice(
            32 * at,
            32 * at + 32,
          );
          expect(relativeError(got, want), `pair ${i}, layer ${layer}`).toBeLessThan(1e-5);
          const stored = new Float32Array(await shard.bytes(`norm.${layer}`))[at]!;
          expect(Math.abs(stored / norm(got) - 1)).toBeLessThan(1e-6);
        }
      }
    }
  });

  it("records in the manifest what the vectors are", async () => {
    await using engine = await openLocalEngine(CHECKPOINT);
    const { checkpointHash, tokenizerHash, templateHash } = engine.identity;
    const manifest: unknown = JSON.parse(await readFile(join(ROOT, "fp32/manifest.json"), "utf8"));
    expect(manifest).toMatchObject({
      format: "culprit-vectors",
      version: 1,
      checkpoint: { checkpointHash, tokenizerHash, templateHash, family: "llama", layerCount: 3 },
      template: "chat",
      layers: [0, 2, 3],
      dim: 32,
      dtype: "F32",
      pooling: "mean-response-tokens",
      sign: "chosen minus rejected",
      maxTokens: 256,
      shardRows: 10,
      pairs: { shape: "trl-standard", files: [PAIRS], columns: ["source"] },
    });
  });

  it("says how the weights were held, and refuses a store of others", async () => {
    expect(await embed("int8", "--precision", "INT8")).toMatchObject({ code: 0 });
    const manifest = await readFile(join(ROOT, "int8", "manifest.json"), "utf8");
    expect(JSON.parse(manifest)).toMatchObject({ checkpoint: { precision: "INT8" } });
    const mixed = await embed("int8");
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).toContain("made with checkpoint.precision");
  });

  it("stores half precision by default: the same vectors, rounded", async () => {
    expect(await embed("fp16", "--shard-rows", "10", "--quiet")).toMatchObject({
      code: 0,
      stderr: "",
    });
    const half = await readShard(join(ROOT, "fp16/shard-00001.safetensors"));
    const single = await readShard(join(ROOT, "fp32/shard-00001.safetensors"));
    const rounded = float32ToFloat16(new Float32Array(await single.bytes("layer.2")));
    expect(new Uint16Array(await half.bytes("layer.2"))).toEqual(rounded);
    expect(await half.bytes("norm.2")).toEqual(await single.bytes("norm.2"));
  });

  it("reads Parquet as it reads JSONL", async () => {
    const parquet = join(ROOT, "pairs.parquet");
    const duck = await (await DuckDBInstance.create()).connect();
    await duck.run(`COPY (SELECT * FROM read_json('${PAIRS}')) TO '${parquet}' (FORMAT parquet)`);
    duck.closeSync();
    const run = await runCli(
      `embed ${parquet} --checkpoint ${CHECKPOINT} --layers 0,2-3 --threads 1 --dtype F32 --shard-rows 10 --out ${join(ROOT, "parquet")}`.split(
        " ",
      ),
    );
    expect(run.code).toBe(0);
    for (const name of ["shard-00000.safetensors", "shard-00002.safetensors"]) {
      const want = await readFile(join(ROOT, "fp32", name));
      expect((await readFile(join(ROOT, "parquet", name))).equals(want), `file ${name}`).toBe(true);
    }
  });

  it("counts and lists the rows that it cannot use, with file and row", async () => {
    const mixed = join(ROOT, "mixed.jsonl");
    const words = (word: string, count: number): string => `${word} `.repeat(count).trim();
    const lines = [
      { prompt: "stone", chosen: "quick", rejected: "slow" },
      { prompt: "stone", chosen: "   ", rejected: "slow" },
      { prompt: "stone", chosen: "same", rejected: "same" },
      { prompt: words("river", 60), chosen: "quick", rejected: "slow" },
      { prompt: "stone", chosen: words("quick", 60), rejected: "slow" },
    ].map((row) => JSON.stringify(row));
    await writeFile(mixed, [...lines.slice(0, 2), '{"prompt": "sto', ...lines.slice(2)].join("\n"));
    const out = join(ROOT, "mixed");
    const run = await runCli(
      `embed ${mixed} --checkpoint ${CHECKPOINT} --layers 1 --max-tokens 70 --out ${out}`.split(
        " ",
      ),
    );
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/2 pairs, layers 1, 32 dimensions, F16/);
    expect(run.stdout).toMatch(/1 pairs had a response cut at 70 tokens/);
    expect(run.stdout).toMatch(/4 unusable rows \(.*\), listed in .*unusable\.jsonl/);
    const listed = (await readFile(join(out, "unusable.jsonl"), "utf8")).trim().split("\n");
    expect(listed.map((line): unknown => JSON.parse(line))).toMatchObject([
      { file: mixed, row: 1, fileRow: 1, reason: "empty-side" },
      { file: mixed, row: 2, fileRow: 2, reason: "broken-json" },
      { file: mixed, row: 3, fileRow: 3, reason: "identical-sides" },
      { file: mixed, row: 4, fileRow: 4, reason: "prompt-too-long" },
    ]);
    const shard = await readShard(join(out, "shard-00000.safetensors"));
    expect(Array.from(new Int32Array(await shard.bytes("row")))).toEqual([0, 5]);
    const tokens = new Int32Array(await shard.bytes("tokens"));
    expect(tokens[3]! + tokens[4]!).toBe(70);
    expect(tokens[3]! + tokens[5]!).toBeLessThan(70);
    expect(JSON.parse(await readFile(join(out, "complete.json"), "utf8"))).toMatchObject({
      rows: 2,
      shards: 1,
      unusable: { "empty-side": 1, "broken-json": 1, "identical-sides": 1, "prompt-too-long": 1 },
    });
  });

  it("counts rows that say what the template does not show as unusable, or takes them without it", async () => {
    const called = join(ROOT, "called.jsonl");
    const call = { type: "function", function: { name: "f", arguments: { a: 20.5 } } };
    const chosen = [{ role: "assistant", content: "Let me look.", tool_calls: [call] }];
    const row = { prompt: [{ role: "user", content: "q" }], chosen, rejected: "no" };
    await writeFile(called, jsonLines([row, { ...row, chosen: "yes" }]));
    const run = (out: string, ...more: string[]) =>
      runCli(
        ["embed", called, "--checkpoint", CHECKPOINT, "--layers", "1", "--threads", "1"].concat(
          ["--out", join(ROOT, out)],
          more,
        ),
      );
    expect((await run("called")).stdout).toMatch(/1 pairs[^]*1 unusable rows \(unread 1\)/);
    const listed = await readFile(join(ROOT, "called", "unusable.jsonl"), "utf8");
    expect(listed).toContain("the row has tool_calls and the chat template does not show it");
    expect((await run("called", "--ignore-unread")).stderr).toMatch(/ignoreUnread/);
    expect((await run("all", "--ignore-unread")).stdout).toMatch(/2 pairs[^]*0 unusable rows/);
    await writeFile(called, jsonLines([row]));
    const none = await run("none");
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/unread 1[^]*--ignore-unread takes those/);
  });

  it("warns of prompts that were rendered before they were written", async () => {
    const rendered = join(ROOT, "rendered.jsonl");
    const prompt = "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n";
    await writeFile(rendered, jsonLines([{ prompt, chosen: "yes", rejected: "no" }]));
    const run = await runCli(
      ["embed", rendered, "--checkpoint", CHECKPOINT, "--layers", "1"].concat(
        ["--threads", "1"],
        ["--out", join(ROOT, "rendered")],
      ),
    );
    expect(run.stderr).toMatch(/1 of 1 prompts hold the chat template's own marks/);
  });

  it("keeps stdout for the result; progress goes to stderr, in plain lines where it is no terminal", async () => {
    const run = await embed("lines", "--template", "raw");
    expect(run.code).toBe(0);
    expect(run.stdout.split("\n")[0]).toBe(
      `${join(ROOT, "lines")}: 25 pairs, layers 0, 2, 3, 32 dimensions, F16`,
    );
    expect(run.stdout).not.toMatch(/pairs \(\d+%\)/);
    expect(run.stderr).toMatch(/shape trl-standard/);
    expect(run.stderr).toMatch(/^embed 25\/25 pairs \(100%\), [\d.]+ pairs\/s/m);
    // No colour, no cursor movement, no rewritten line.
    expect(run.stderr).not.toContain("\u001b");
    expect(run.stderr).not.toContain("\r");
  });
});

it("says that the marks of transcripts are lost where no template writes them", async () => {
  const say = (answer: string): string => `\n\nHuman: the river\n\nAssistant: ${answer}`;
  const path = join(ROOT, "transcripts.jsonl");
  await writeFile(path, jsonLines([{ chosen: say("stone"), rejected: say("lamp") }]));
  const read = (template: string): Promise<CliResult> =>
    runCli([
      "embed",
      path,
      "--checkpoint",
      CHECKPOINT,
      "--layers",
      "2",
      "--template",
      template,
      "--out",
      join(ROOT, `transcripts-${template}`),
    ]);
  const lost = "are not in what is read";
  expect((await read("raw")).stderr).toContain(lost);
  expect((await read("chat")).stderr).not.toContain(lost);
});
