/**
 * @file Each published ladder in examples/ in small: a local server plays the hub, with tiny checkpoints of the right model_type under the
 * published names and a few rows in the data's published columns.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

import { readExperiment } from "../src/experiment/read-experiment.ts";
import { openParquetConnection } from "../src/pairs/readers/parquet.ts";
import { type FakeHub, type FakeRepo, startFakeHub } from "./fake-hub.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint, type TinyFamily } from "./support/tiny-checkpoint.ts";
import { makeTinyNeox } from "./support/tiny-neox.ts";

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));
const folder = suiteFolder();

const user = (content: string): object => ({ content, role: "user" });
const assistant = (content: string): object => ({ content, role: "assistant" });

/** Rows with the columns that each data set has. */
const ROWS: Readonly<Record<string, (i: number, pair: Pair) => object>> = {
  "Anthropic/hh-rlhf": (_, { prompt, chosen, rejected }) => ({
    chosen: `\n\nHuman: ${prompt}\n\nAssistant: ${chosen}`,
    rejected: `\n\nHuman: ${prompt}\n\nAssistant: ${rejected}`,
  }),
  "HuggingFaceH4/ultrafeedback_binarized": (i, { prompt, chosen, rejected }) => ({
    prompt,
    prompt_id: `${i}`,
    chosen: [user(prompt), assistant(chosen)],
    rejected: [user(prompt), assistant(rejected)],
    messages: [user(prompt), assistant(chosen)],
    score_chosen: 8.5,
    score_rejected: 7,
  }),
  "allenai/olmo-2-0425-1b-preference-mix": (i, { prompt, chosen, rejected }) => ({
    id: `row-${i}`,
    source: i % 2 === 0 ? "flan" : "wildchat",
    chosen: [user(prompt), assistant(chosen)],
    chosen_model: "big",
    chosen_rating: 5,
    rejected: [user(prompt), assistant(rejected)],
    rejected_model: "small",
    rejected_rating: 1,
    prompt,
  }),
  "allenai/llama-3.1-tulu-3-8b-preference-mixture": (i, { prompt, chosen, rejected }) => ({
    id: `row-${i}`,
    source: "ai2-adapt-dev/sft",
    prompt,
    chosen: [user(prompt), assistant(chosen)],
    rejected: [user(prompt), assistant(rejected)],
    chosen_rating: 5,
    chosen_model: "big",
    rejected_rating: 1,
    rejected_model: "small",
  }),
};

interface Pair {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

const LADDERS: Readonly<Record<string, TinyFamily | "gpt_neox">> = {
  "pythia-410m": "gpt_neox",
  "smollm2-1.7b": "llama",
  "olmo2-1b": "olmo2",
  "tulu3-8b": "llama",
  "zephyr-7b": "mistral",
};

interface Ladder {
  readonly checkpoints: { readonly before: string; readonly after: string };
  readonly pairs: { readonly files: readonly string[] };
  readonly scenarios: { readonly bases: readonly string[] };
}

let files = 0;
let hub: FakeHub;
const before = { ...process.env };
beforeAll(async () => {
  hub = await startFakeHub([]);
  delete process.env["HF_HUB_OFFLINE"];
  process.env["HF_ENDPOINT"] = hub.url;
  process.env["HF_HOME"] = join(folder, "home");
});
afterAll(async () => {
  process.env = before;
  await hub.stop();
});

/** Puts everything on the hub that the file names. */
async function publish(ladder: Ladder, family: TinyFamily | "gpt_neox"): Promise<void> {
  for (const uri of Object.values(ladder.checkpoints).filter((each) => each.startsWith("hf://"))) {
    const repo = uri.slice("hf://".length);
    const dir = join(folder, repo);
    await (family === "gpt_neox" ? makeTinyNeox(dir) : makeTinyCheckpoint(dir, { family }));
    const names = await readdir(dir);
    const contents = await Promise.all(
      names.map(async (name) => [name, await readFile(join(dir, name))] as const),
    );
    hub.repos.push({ kind: "model", repo, files: Object.fromEntries(contents) });
  }
  for (const uri of [...ladder.pairs.files, ...ladder.scenarios.bases]) {
    const [, owner, name, path] = /^hf:\/\/datasets\/([^/]+)\/([^/]+)\/(.+)$/.exec(uri)!;
    await publishRows(`${owner}/${name}`, path!.replace("*", "00000-of-00001"));
  }
}

async function publishRows(repo: string, path: string): Promise<void> {
  const rows = randomPairs(24).map((pair, i) => ROWS[repo]!(i, pair));
  const bytes = path.endsWith(".gz") ? gzipSync(jsonLines(rows)) : await toParquet(rows);
  const known = hub.repos.find((each) => each.kind === "dataset" && each.repo === repo);
  const there = { ...known?.files, [path]: bytes };
  if (known !== undefined) known.files = there;
  else hub.repos.push({ kind: "dataset", repo, files: there } satisfies FakeRepo);
}

async function toParquet(rows: readonly object[]): Promise<Uint8Array> {
  const out = join(folder, `rows-${files++}.parquet`);
  const lines = `${out}.jsonl`;
  writeFileSync(lines, jsonLines(rows));
  const { connection, close } = await openParquetConnection([lines, out]);
  await connection.run(`COPY (SELECT * FROM read_json('${lines}')) TO '${out}' (FORMAT parquet)`);
  close();
  return readFile(out);
}

/** The file with a few settings in small, and others left out. */
function inSmall(name: string, changes: Readonly<Record<string, unknown>>): string {
  const path = join(folder, `${name}-${Object.keys(changes).join("-")}.yaml`);
  const whole = parse(readFileSync(join(EXAMPLES, `${name}.yaml`), "utf8")) as object;
  writeFileSync(path, stringify(JSON.parse(JSON.stringify({ ...whole, ...changes }))));
  return path;
}

describe.each(Object.entries(LADDERS))("examples/%s.yaml", (name, family) => {
  it("is a whole experiment, with a pointer to what checks the machine", async () => {
    const { experiment } = await readExperiment(join(EXAMPLES, `${name}.yaml`));
    expect(experiment.name).toBe(name);
    expect(readFileSync(join(EXAMPLES, `${name}.yaml`), "utf8")).toContain(
      `culprit doctor --checkpoint ${experiment.checkpoints.before}`,
    );
  });

  it("runs in small up to the ranking, and up to the judge", async () => {
    await publish(parse(readFileSync(join(EXAMPLES, `${name}.yaml`), "utf8")) as Ladder, family);
    const responses = join(folder, "responses.jsonl");
    const rows = randomPairs(12, 5).map(({ id, prompt, chosen, rejected }) => {
      return { id, prompt, before: rejected, after: chosen };
    });
    writeFileSync(responses, jsonLines(rows));
    const behavior = { name: "b", layers: [1, 2], splits: 20, flips: 20, nullDirections: 4 };
    const ranked = inSmall(name, {
      behavior,
      responses,
      probe: undefined,
      scenarios: undefined,
      generate: undefined,
      judge: undefined,
      rank: undefined,
    });
    const out = join(folder, `${name}-out`);
    await runCommand("run", [ranked, "--until", "rank", "--out", out]);
    expect(existsSync(join(out, "ranking.parquet"))).toBe(true);
    const whole = parse(readFileSync(join(EXAMPLES, `${name}.yaml`), "utf8")) as Ladder;
    const sampled = inSmall(name, {
      behavior,
      scenarios: { ...whole.scenarios, limit: 4 },
      probe: { rollouts: 1 },
      generate: { maxTokens: 4 },
    });
    const status = await runCommand("run", [
      sampled,
      "--until",
      "judge",
      "--out",
      `${out}-judge`,
      "--json",
    ]);
    expect(status).toContain("judge-after");
  });
});
