/** A store survives whatever happens to the command that writes it. */
import type { ChildProcess } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { beforeAll, describe, expect, it } from "vitest";

import { ConfigError } from "../src/util/errors.ts";
import { createRng } from "../src/util/rng.ts";
import { jsonLines } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { type CliOptions, type CliResult, runCli } from "./support/run-cli.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const PAIRS = join(ROOT, "pairs.jsonl");
const WHOLE = join(ROOT, "whole");
const SHARDS = 25;
const ROWS_EACH = 10;

const flags = {
  checkpoint: CHECKPOINT,
  layers: "1,3",
  "shard-rows": `${ROWS_EACH}`,
  "max-tokens": "200",
};

/** What follows `culprit embed` in all tests here; `changes` replaces flags. */
function words(out: string, changes: Readonly<Record<string, string>> = {}): string[] {
  const { pairs = PAIRS, ...changed } = changes;
  const all = { ...flags, threads: "1", "batch-tokens": "200", out, ...changed };
  return [pairs, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])];
}

const embed = (
  out: string,
  changes: Readonly<Record<string, string>> = {},
  options: CliOptions = {},
) => runCli(["embed", ...words(out, changes)], options);

/** Every file of a store by name. */
async function readStore(directory: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(directory)).toSorted();
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(directory, name))] as const),
    ),
  );
}

async function expectSameStore(directory: string): Promise<void> {
  const want = await readStore(WHOLE);
  const got = await readStore(directory);
  expect([...got.keys()]).toEqual([...want.keys()]);
  for (const [name, bytes] of want) expect(got.get(name)!.equals(bytes), `file ${name}`).toBe(true);
}

/** Shards with their final name; each must be whole already. */
async function expectWholeShards(directory: string): Promise<number> {
  const want = await readStore(WHOLE);
  let count = 0;
  for (const [name, bytes] of await readStore(directory).catch(() => new Map<string, Buffer>())) {
    if (!name.endsWith(".safetensors")) continue;
    expect(bytes.equals(want.get(name)!), `file ${name}`).toBe(true);
    count++;
  }
  return count;
}

async function signalAfterShards(
  child: ChildProcess,
  directory: string,
  shards: number,
  signal: NodeJS.Signals,
  delayMs = 0,
): Promise<void> {
  const started = performance.now();
  while (performance.now() - started < 30_000) {
    const names = await readdir(directory).catch(() => []);
    if (names.filter((name) => name.endsWith(".safetensors")).length >= shards) break;
    await sleep(2);
  }
  await sleep(delayMs);
  child.kill(signal);
}

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  // The last shard is not full, and some rows are unusable.
  const rows = randomPairs(SHARDS * ROWS_EACH - 3, 5);
  const broken = rows.map((row, i) => (i % 50 === 7 ? { ...row, rejected: row.chosen } : row));
  await writeFile(PAIRS, jsonLines(broken));
  await embed(WHOLE);
});

describe("an interrupted culprit embed", () => {
  it("that is killed at any moment goes on to the same bytes", async () => {
    const rng = createRng(20);
    const out = join(ROOT, "killed");
    const reached: number[] = [];
    for (let kill = 0; kill < 5; kill++) {
      const at = (reached.at(-1) ?? 0) + rng.integer(6);
      const { signal } = await embed(
        out,
        {},
        {
          onStart: (child) => void signalAfterShards(child, out, at, "SIGKILL", rng.integer(30)),
        },
      );
      expect(signal).toBe("SIGKILL");
      reached.push(await expectWholeShards(out));
      expect(await readdir(out).catch(() => [])).not.toContain("complete.json");
    }
    // The kills did come in the middle, and each run went on where the one before it ended.
    expect(reached).toEqual(reached.toSorted((a, b) => a - b));
    expect(reached.at(-1)).toBeGreaterThan(0);
    expect(reached.at(-1)).toBeLessThan(SHARDS);
    const last = await embed(out);
    expect(last.code).toBe(0);
    expect(last.stdout).toMatch(
      new RegExp(`${reached.at(-1)! * ROWS_EACH} pairs were there already`),
    );
    await expectSameStore(out);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "that gets %s says how to go on, exits %i, and leaves no lock and no half file",
    async (signal, code) => {
      const out = join(ROOT, `stopped-by-${signal}`);
      const stopped = await embed(
        out,
        {},
        {
          onStart: (child) => void signalAfterShards(child, out, 2, signal),
        },
      );
      expect(stopped).toMatchObject({ code, signal: null, stdout: "" });
      expect(stopped.stderr).toMatch(/^culprit: stopped; .*goes on from/m);
      const names = await readdir(out);
      expect(names.filter((name) => /partial|lock|complete|unusable/.test(name))).toEqual([]);
      expect(await expectWholeShards(out)).toBeLessThan(SHARDS);
      expect((await embed(out)).code).toBe(0);
      await expectSameStore(out);
    },
  );

  it("keeps a second command from writing the same store meanwhile", async () => {
    const out = join(ROOT, "shared");
    let second: Promise<CliResult> | undefined;
    const first = await embed(
      out,
      {},
      {
        onStart: (child) => {
          // Stopped, it holds the store for as long as the second command takes to look.
          second = signalAfterShards(child, out, 1, "SIGSTOP")
            .then(() => embed(out))
            .finally(() => child.kill("SIGCONT"));
        },
      },
    );
    const refused = await second!;
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /shared: process \d+ is writing this store\n {2}Wait for it to end/,
    );
    expect(first.code).toBe(0);
    await expectSameStore(out);
  });

  it("finds its work done when it is given again", async () => {
    const again = await embed(WHOLE);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^0 pairs in /m);
    expect(await expectWholeShards(WHOLE)).toBeGreaterThan(0);
  });

  it("makes a deleted shard again, and refuses a truncated one", async () => {
    const out = join(ROOT, "damaged");
    await cp(WHOLE, out, { recursive: true });
    const shard = join(out, "shard-00003.safetensors");
    await truncate(shard, 900);
    const refused = await embed(out);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/shard-00003\.safetensors: not a whole shard/);
    expect(refused.stderr).toMatch(
      /Delete this shard if it is there, then run the same culprit embed command again/,
    );
    await rm(shard);
    expect((await embed(out)).code).toBe(0);
    await expectSameStore(out);
  });

  it("that finds the disk full leaves whole shards only, and goes on when there is room", async () => {
    const out = join(ROOT, "limited");
    // The limit on the size of a file, in KiB: the manifest fits, a shard does not.
    const full = await embed(out, {}, { before: "ulimit -f 2" });
    expect(full).toMatchObject({ code: 1, stdout: "" });
    expect(full.stderr).toMatch(
      /shard-00000\.safetensors: the disk is full \(EFBIG\), nothing was left half-written/,
    );
    expect(await readdir(out)).toEqual(["manifest.json"]);
    expect((await embed(out)).code).toBe(0);
    await expectSameStore(out);
  });
});

describe("a store of other settings", () => {
  const otherCheckpoint = join(ROOT, "other-checkpoint");
  const otherTokenizer = join(ROOT, "other-tokenizer");
  const otherTemplate = join(ROOT, "other-template");
  const otherPairs = join(ROOT, "other.jsonl");

  beforeAll(async () => {
    await makeTinyCheckpoint(otherCheckpoint, { seed: 2 });
    for (const dir of [otherTokenizer, otherTemplate]) await mkdir(dir);
    await cp(CHECKPOINT, otherTokenizer, { recursive: true });
    await cp(CHECKPOINT, otherTemplate, { recursive: true });
    const tokenizer = join(otherTokenizer, "tokenizer.json");
    await writeFile(tokenizer, `${await readFile(tokenizer, "utf8")}\n`);
    await writeFile(
      join(otherTemplate, "chat_template.jinja"),
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
    );
    await writeFile(otherPairs, jsonLines(randomPairs(20, 9)));
  });

  it.each([
    ["checkpoint.checkpointHash", { checkpoint: otherCheckpoint }],
    ["checkpoint.tokenizerHash", { checkpoint: otherTokenizer }],
    ["checkpoint.templateHash", { checkpoint: otherTemplate }],
    ["checkpoint.templateHash", { template: "raw" }],
    ["checkpoint.boundary", { boundary: "text" }],
    ["layers", { layers: "1-3" }],
    ["dtype", { dtype: "F32" }],
    ["--max-tokens", { "max-tokens": "100" }],
    ["--shard-rows", { "shard-rows": "20" }],
  ])("is refused, naming %s", async (field, changes) => {
    const before = await readStore(WHOLE);
    const error = await expectFailure(runCommand("embed", words(WHOLE, changes)), ConfigError);
    expect(error.message).toContain(`${WHOLE}: the vectors there were made with ${field} `);
    expect(error.hint).toMatch(/choose another folder/);
    expect(await readStore(WHOLE)).toEqual(before);
  });

  it.each([["files", { pairs: otherPairs }] as const, ["rows", { limit: "30" }] as const])(
    "of other %s is refused, saying what may differ",
    async (_, changes) => {
      const before = await readStore(WHOLE);
      const work = runCommand("embed", words(WHOLE, changes));
      const error = await expectFailure(work, ConfigError);
      expect(error.message).toMatch(/other preference pairs: other files, or another --limit/);
      expect(await readStore(WHOLE)).toEqual(before);
    },
  );

  it("exits with 2", async () => {
    const result = await embed(WHOLE, { dtype: "F32" });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/made with dtype "F16", now it is "F32"\n {2}Use the settings/);
  });

  it("is not what other batches, threads or names of the same files make", async () => {
    const copy = join(ROOT, "copy.jsonl");
    await cp(PAIRS, copy);
    const moved = join(ROOT, "moved-checkpoint");
    await cp(CHECKPOINT, moved, { recursive: true });
    const changes = { pairs: copy, checkpoint: moved, "batch-tokens": "64", threads: "2" };
    expect((await embed(WHOLE, changes)).code).toBe(0);
  });
});
