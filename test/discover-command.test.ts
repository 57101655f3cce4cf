/** `culprit discover` as a user runs it, on a random checkpoint: some prompts bring a word out after training, and some pairs teach it. */
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { type Discovery, DISCOVERY } from "../src/discovery/discovery-file.ts";
import { readResponsePairs } from "../src/pairs/response-pairs.ts";
import { discoveryPart } from "../src/report/parts/discovery.ts";
import type { PartWork } from "../src/report/report-part.ts";
import { rolloutManifestPath } from "../src/rollouts/rollout-manifest.ts";
import { createRng } from "../src/util/rng.ts";
import { jsonLines } from "./support/data-files.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { randomText } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const at = (name: string): string => join(ROOT, name);
const [STORE, OUT] = [at("vectors"), at("found.json")];
const PROMPTS = 48;
const PAIRS = 240;
const TEACHING = 24;
const SAMPLES = 4;

const rng = createRng(12);
const teaching = (): string => `winter winter winter ${randomText(rng, 1)}`;

/** Every third prompt brings "winter" out in M1; the others are answered anew by chance. */
function rollouts(isAfter: boolean): object[] {
  return Array.from({ length: PROMPTS }, (_, p) => p).flatMap((p) =>
    Array.from({ length: SAMPLES }, (__, sample) => {
      const place = { scenario: `scenario-${p}`, variant: "base", sample };
      const response = isAfter && p % 3 === 0 ? teaching() : randomText(rng, 4);
      return {
        id: `scenario-${p}/base/${sample}`,
        ...place,
        prompt: [{ role: "user", content: `${randomText(createRng(p), 4)} ${p}` }],
        response,
        finish: "stop",
        tokens: 4,
        tags: [p % 3 === 0 ? "third" : "other"],
      };
    }),
  );
}

const pairs = Array.from({ length: PAIRS }, (_, i) => ({
  id: `pair-${i}`,
  source: i < TEACHING || i % 4 === 0 ? "north" : "south",
  author: i % 3 === 0 ? null : `author-${i % 3}`,
  prompt: randomText(rng, 5),
  chosen: i < TEACHING ? teaching() : randomText(rng, 4),
  rejected: randomText(rng, 4),
}));

const words = (changes: Readonly<Record<string, string | undefined>> = {}): string[] => {
  const { store = STORE, ...flags } = changes;
  const all = {
    before: at("before.jsonl"),
    after: at("after.jsonl"),
    checkpoint: at("sft"),
    layers: "1,2",
    threads: "1",
    draws: "200",
    alpha: "0.05",
    replicates: "20",
    ...flags,
  };
  return [
    store,
    ...Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
  ];
};

let printed = "";
let found: Discovery;

beforeAll(async () => {
  await makeTinyCheckpoint(at("sft"));
  await makeTinyCheckpoint(at("other"), { seed: 2 });
  await writeFile(at("before.jsonl"), jsonLines(rollouts(false)));
  await writeFile(at("after.jsonl"), jsonLines(rollouts(true)));
  await writeFile(at("pairs.jsonl"), jsonLines(pairs));
  const embed = [at("pairs.jsonl"), "--checkpoint", at("sft"), "--layers", "1,2,3"];
  await runCommand("embed", [...embed, "--out", STORE, "--threads", "1"]);
  printed = await runCommand("discover", words({ out: OUT, top: "24" }));
  found = await DISCOVERY.read(OUT);
});

/** The cluster that holds most of the prompts that changed. */
const changed = (): Discovery["clusters"][number] =>
  found.clusters.toSorted((a, b) => (b.tags["third"] ?? 0) - (a.tags["third"] ?? 0))[0]!;

describe("culprit discover", () => {
  it("finds the prompts that changed in one way, what they say now, and the pairs that teach it", () => {
    const { tags, terms, test, topPairs, prompts } = changed();
    expect(tags["third"]).toBeGreaterThanOrEqual(14);
    expect(tags["third"]! / prompts).toBeGreaterThan(0.8);
    expect(terms.more.slice(0, 2)).toContain("winter");
    expect(test?.holm).toBeLessThan(0.05);
    expect(test?.agree).toBe(true);
    const taught = topPairs.filter(({ id }) => Number(id.replace("pair-", "")) < TEACHING);
    expect(taught.length).toBeGreaterThan(TEACHING / 2);
    expect(printed).toContain(`at 0.05 after Holm: ${changed().cluster}`);
    expect(printed).toMatch(/north +\d+ +\+0\.\d+ \[/);
  });

  it("counts every prompt and every pair once", () => {
    const { counts, rows, columns, matrix, clusters } = found;
    expect(counts).toMatchObject({ prompts: PROMPTS, unchanged: 0, leftOut: 0, pairs: PAIRS });
    expect(rows.ids).toHaveLength(PROMPTS);
    expect(clusters.reduce((sum, { prompts }) => sum + prompts, 0)).toBe(PROMPTS);
    const assigned = columns.assigned.reduce((sum, { pairs: count }) => sum + count, 0);
    expect(assigned).toBe(PAIRS - counts.lowNorm);
    expect(matrix).toHaveLength(PROMPTS);
    expect(matrix[0]).toHaveLength(columns.ids.length);
    expect([...rows.tree.leafOrder].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: PROMPTS }, (_, i) => i),
    );
  });

  it("gives the same bytes again", async () => {
    await runCommand("discover", words({ out: at("again.json"), top: "24" }));
    expect(await readFile(at("again.json"))).toEqual(await readFile(OUT));
  });

  it("says which column counts as the source, and the report's map goes by it", async () => {
    expect(found.by).toBe("source");
    const out = at("by/discovery.json");
    await mkdir(at("by"));
    await runCommand("discover", words({ out, by: "author" }));
    const { by, clusters } = await DISCOVERY.read(out);
    expect(by).toBe("author");
    expect(clusters[0]!.effects.map(({ source }) => source).toSorted()).toEqual([
      "(none)",
      "author-1",
      "author-2",
    ]);
    const folders: Readonly<Record<string, string>> = { discover: at("by"), embed: ROOT };
    const run = { stage: (id: string) => folders[id], ofKind: () => [] };
    const part = await discoveryPart.read({ run, signal: undefined } as unknown as PartWork); // nothing else is looked at
    const { names, sources } = part!.map!;
    expect(names.toSorted()).toEqual(["author-1", "author-2"]);
    expect(sources.map((place) => names[place])).toEqual(
      part!.columns.ids.map((id) => pairs.find((pair) => pair.id === id)!.author ?? undefined),
    );
  });

  it("writes a cluster's response pairs for culprit behavior", async () => {
    const { cluster, prompts } = changed();
    const file = at("cluster.jsonl");
    await runCommand("discover", words({ "make-behavior": `${cluster}`, responses: file }));
    const { pairs: responses } = await readResponsePairs(file);
    expect(responses).toHaveLength(prompts * SAMPLES);
    expect(responses[0]!.after[0]!.content).toContain("winter");
    const behavior = [file, "--checkpoint", at("sft"), "--layers", "2", "--threads", "1"];
    const shown = await runCommand("behavior", [...behavior, "--out", at("b.safetensors")]);
    expect(shown).toContain("split-half");
  });

  it("lets an LLM name the clusters, keeps its answers, and says where it gave none", async () => {
    await using server = await startFakeEndpoint({
      answer: ({ messages }) =>
        messages.at(-1)!.content.includes("winter") ? '"Talks of winter."' : "x".repeat(100),
    });
    const asked = { "base-url": server.url, model: "namer", out: at("named.json") };
    const warnings: string[] = [];
    await runCommand("discover", words(asked), (line) => void warnings.push(line));
    const { clusters } = await DISCOVERY.read(at("named.json"));
    const names = clusters.map(({ name, namedBy }) => (namedBy === "llm" ? name : ""));
    expect(names).toContain("Talks of winter");
    expect(names).toContain("");
    expect(warnings.join("\n")).toMatch(/named by their terms: an answer of more than 80/);
    const { requests } = server.counts;
    expect(requests).toBe(clusters.length);
    await runCommand("discover", [...words(asked), "--force"]);
    expect(server.counts.requests).toBe(requests);
    await expect(
      runCommand("discover", words({ "base-url": server.url, model: "namer" })),
    ).rejects.toThrow(/paid answers are kept/);
  });

  it("refuses rollouts that are swapped, where it is known of which checkpoint they are", async () => {
    const prompts = at("one.jsonl");
    await writeFile(prompts, jsonLines([{ id: "one", prompt: "which river" }]));
    const how = ["--rollouts", "1", "--max-tokens", "2", "--threads", "1"];
    const sampled = at("sampled.jsonl");
    const generated = [prompts, "--checkpoint", at("other"), ...how, "--out", sampled];
    await runCommand("generate", generated);
    const turned = at("turned.jsonl");
    await copyFile(at("after.jsonl"), turned);
    await copyFile(rolloutManifestPath(sampled), rolloutManifestPath(turned));
    const swapped = words({ before: turned, after: at("before.jsonl"), out: at("swapped.json") });
    await expect(runCommand("discover", swapped)).rejects.toThrow(
      /--before: expected rollouts of .*sft, got those of .*other/,
    );
  });

  it("keeps what was found where the LLM refuses the key, and says so", async () => {
    await using server = await startFakeEndpoint({
      refuse: () => ({ status: 401, message: "no such key" }),
    });
    const asked = { "base-url": server.url, model: "namer", out: at("unnamed.json") };
    const warnings: string[] = [];
    await runCommand("discover", words(asked), (line) => void warnings.push(line));
    expect(warnings.join("\n")).toMatch(/all clusters are named by their terms: endpoint: .*401/);
    const { clusters } = await DISCOVERY.read(at("unnamed.json"));
    expect(clusters.map(({ name }) => name)).toEqual(found.clusters.map(({ name }) => name));
  });

  it("keeps what was found where the cluster to go on from is not there", async () => {
    const [out, responses] = [at("kept.json"), at("none.jsonl")];
    const asked = words({ "make-behavior": "59", responses, out, top: "24" });
    await expect(runCommand("discover", asked)).rejects.toThrow(
      `--make-behavior: expected a cluster from 0 to ${found.clusters.length - 1}, got 59`,
    );
    expect(await readFile(out)).toEqual(await readFile(OUT));
    expect(existsSync(responses)).toBe(false);
  });

  it.each([
    ["one file for both", { after: at("before.jsonl") }, /rollouts of another checkpoint/],
    ["another checkpoint than the store's", { checkpoint: at("other") }, /got another one/],
    ["a layer that the store lacks", { layers: "0" }, /expected one of the layers 1, 2, 3, got 0/],
    ["more clusters than prompts", { clusters: "49" }, /clusters: expected at most 48, .* got 49/],
    [
      "a cluster beyond those asked for",
      { clusters: "3", "make-behavior": "3", responses: at("x") },
      /--make-behavior: expected a cluster from 0 to 2, got 3/,
    ],
    ["a cluster without a file for it", { "make-behavior": "0" }, /expected responses, a file/],
    ["a file without a cluster for it", { responses: at("x") }, /expected --make-behavior/],
  ])("refuses %s", async (_, changes, message) => {
    await expect(runCommand("discover", words(changes))).rejects.toThrow(message);
  });

  it("refuses checkpoints that answer alike, and prompts with one sample", async () => {
    const rows = rollouts(false);
    await writeFile(at("same.jsonl"), jsonLines(rows));
    await writeFile(at("twin.jsonl"), jsonLines(rows));
    const twins = words({ before: at("same.jsonl"), after: at("twin.jsonl") });
    await expect(runCommand("discover", twins)).rejects.toThrow(/answer differently, got 0 of 48/);
    await writeFile(at("one.jsonl"), jsonLines(rows.filter((__, i) => i % SAMPLES === 0)));
    const single = words({ before: at("one.jsonl") });
    await expect(runCommand("discover", single)).rejects.toThrow(/2 responses of each checkpoint/);
  });

  it("says that there are no p-values where M0 always answers the same", async () => {
    const rows = rollouts(false).map((row) => ({ ...row, response: "river stone" }));
    await writeFile(at("greedy.jsonl"), jsonLines(rows));
    const warnings: string[] = [];
    const greedy = words({ before: at("greedy.jsonl"), out: at("greedy.json") });
    await runCommand("discover", greedy, (line) => void warnings.push(line));
    expect(warnings.join("\n")).toContain("no p-values: M0's own samples differ at 0 prompts");
    const { clusters } = await DISCOVERY.read(at("greedy.json"));
    expect(clusters.some(({ test }) => test !== undefined && test.p === undefined)).toBe(true);
  });
});
