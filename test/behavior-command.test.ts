/** `culprit behavior` as a user runs it: the direction is what the engine's own differences average to. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { readBehavior } from "../src/behavior/behavior-file.ts";
import { openLocalEngine } from "../src/engine/local-engine.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { NoUsablePairError } from "../src/pairs/response-pairs.ts";
import { ConfigError, type CulpritError, FormatError } from "../src/util/errors.ts";
import { createRng } from "../src/util/rng.ts";
import { cosine } from "../src/util/vector.ts";
import { relativeError } from "./support/close.ts";
import { jsonLines } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { randomText } from "./support/random-pairs.ts";
import { type CliResult, runCli } from "./support/run-cli.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const RESPONSES = join(ROOT, "responses.jsonl");
const OUT = join(ROOT, "winter.safetensors");
const LAYERS = [0, 2, 3];

/** Twelve prompts; the first scenario has three rollout pairs, the others one each. */
const rows = Array.from({ length: 14 }, (_, i) => {
  const rng = createRng(40 + i);
  const scenario = Math.max(0, i - 2);
  return {
    id: `response-${i}`,
    prompt: `${randomText(createRng(scenario), 5)} ${scenario}`,
    before: randomText(rng, 4 + rng.integer(5)),
    after: `winter winter ${randomText(rng, 3 + rng.integer(5))}`,
    scenario: `scenario-${scenario}`,
  };
});

const words = (changes: Readonly<Record<string, string>> = {}, file = RESPONSES): string[] => [
  file,
  ...Object.entries({
    checkpoint: CHECKPOINT,
    layers: "0,2-3",
    threads: "1",
    out: OUT,
    ...changes,
  }).flatMap(([name, value]) => [`--${name}`, value]),
];

let result: CliResult;

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  await writeFile(RESPONSES, jsonLines(rows));
  result = await runCli(["behavior", ...words()]);
});

/** after − before of each row at each layer, one response at a time. */
async function differences(): Promise<Map<number, Float32Array[]>> {
  await using engine = await openLocalEngine(CHECKPOINT, { threads: 1 });
  const found = new Map(LAYERS.map((layer) => [layer, [] as Float32Array[]]));
  for (const { prompt, before, after } of rows) {
    const means: Float32Array[] = [];
    for (const content of [before, after]) {
      const example = engine.tokenize(
        [{ role: "user", content: prompt }],
        [[{ role: "assistant", content }]],
      );
      for await (const each of engine.embed([example], { layers: LAYERS }))
        means.push(each.means[0]!);
    }
    for (const [l, layer] of LAYERS.entries()) {
      const difference = means[1]!.map((x, j) => x - means[0]![j]!).slice(32 * l, 32 * l + 32);
      found.get(layer)!.push(difference);
    }
  }
  return found;
}

const mean = (vectors: readonly Float32Array[]): Float32Array =>
  vectors[0]!.map((_, j) => vectors.reduce((sum, each) => sum + each[j]!, 0) / vectors.length);

describe("culprit behavior", () => {
  it("prints one row of figures a layer", () => {
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(
      /^behavior "winter" on .*, after minus before\n14 response pairs, 12 prompts, 12 scenarios; 0 unusable, 0 cut at 256 tokens\n/,
    );
    expect(
      result.stdout
        .trim()
        .split("\n")
        .slice(-6, -3)
        .map((line) => line.trim().split(" ")[0]),
    ).toEqual(["0", "2", "3"]);
  });

  it("writes the mean of the differences, each scenario's own, and both weightings", async () => {
    const stored = await readBehavior(OUT);
    expect(stored).toMatchObject({
      name: "winter",
      dim: 32,
      layers: LAYERS,
      directionKind: "mean-difference-rollout",
    });
    await using file = await openSafetensors(OUT);
    const read = async (name: string): Promise<Float32Array> =>
      new Float32Array((await file.readBytes(name)).slice().buffer);
    for (const [layer, each] of await differences()) {
      expect(relativeError(await read(`direction.${layer}`), mean(each))).toBeLessThan(1e-5);
      const scenarios = [mean(each.slice(0, 3)), ...each.slice(3)];
      expect(
        relativeError(await read(`direction_scenario.${layer}`), mean(scenarios)),
      ).toBeLessThan(1e-5);
      const bank = Float32Array.from(scenarios.flatMap((vector) => [...vector]));
      expect(relativeError(await read(`bank.${layer}`), bank)).toBeLessThan(1e-5);
    }
    expect(stored.scenarioIds).toEqual(rows.slice(2).map(({ scenario }) => scenario));
  });

  it("writes the report that --json prints, and the same again for the same seed", async () => {
    const again = await runCli(["behavior", ...words(), "--force", "--json", "--quiet"]);
    expect(again.code).toBe(0);
    const printed = JSON.parse(again.stdout) as { diagnostics: { layer: number }[] };
    expect(printed).toEqual(JSON.parse(await readFile(join(ROOT, "winter.json"), "utf8")));
    expect(printed).toMatchObject({
      format: "culprit-behavior",
      sign: "after minus before, both read on the checkpoint named here",
      counts: { pairs: 14, prompts: 12, unusable: 0, truncated: 0 },
    });
    expect(printed.diagnostics.map(({ layer }) => layer)).toEqual(LAYERS);
    // With --quiet nothing but warnings.
    for (const line of again.stderr.split("\n").slice(0, -1)) expect(line).toMatch(/^warning: /);
    const other = join(ROOT, "other.safetensors");
    await runCommand("behavior", words({ out: other, name: "winter" }));
    expect((await readFile(other)).equals(await readFile(OUT))).toBe(true);
  });

  it("follows --weighting for what readers take", async () => {
    const out = join(ROOT, "weighted.safetensors");
    await runCommand("behavior", words({ out, weighting: "scenario", "null-directions": "0" }));
    const stored = await readBehavior(out);
    expect(stored.directionKind).toBe("mean-difference-scenario");
    expect(stored.nullDirections.size).toBe(0);
    await using file = await openSafetensors(OUT);
    const want = new Float32Array((await file.readBytes("direction_scenario.2")).slice().buffer);
    expect(stored.directions.get(2)).toEqual(want);
  });

  it.each(["logistic", "lda"])("keeps a %s probe beside the mean difference", async (probe) => {
    const out = join(ROOT, `${probe}.safetensors`);
    const text = await runCommand("behavior", words({ out, probe, name: "winter" }));
    expect(text).toContain(`\n${probe}, every response pair counts the same`);
    const stored = await readBehavior(out);
    expect(stored.directionKind).toBe(`${probe}-rollout`);
    await using file = await openSafetensors(out);
    await using plain = await openSafetensors(OUT);
    for (const layer of LAYERS) {
      const read = async (name: string): Promise<Float32Array> =>
        new Float32Array((await file.readBytes(`${name}.${layer}`)).slice().buffer);
      expect(stored.directions.get(layer)).toEqual(await read("probe"));
      expect(cosine(await read("probe"), await read("direction"))).toBeGreaterThan(0.1);
      expect(stored.nullDirections.get(layer)).toHaveLength(64 * 32);
      for (const name of ["direction", "bank"]) {
        const bytes = await plain.readBytes(`${name}.${layer}`);
        expect(await file.readBytes(`${name}.${layer}`)).toEqual(bytes);
      }
    }
    expect(JSON.parse(await readFile(join(ROOT, `${probe}.json`), "utf8"))).toMatchObject({
      probe,
      diagnostics: LAYERS.map((layer) => ({ layer, heldOut: { kind: "measured", folds: 5 } })),
    });
  });

  it("projects out what --orthogonal-to names, files and measures, and warns of unsteady ones", async () => {
    const out = join(ROOT, "clear.safetensors");
    const file = join(ROOT, "tagged.jsonl");
    const tagged = rows.map((row, i) => ({ ...row, tags: i % 2 === 0 ? ["even"] : [] }));
    await writeFile(file, jsonLines(tagged));
    const other = join(ROOT, "length.safetensors");
    const scrambled = rows.map((row, i) => ({ ...row, after: rows[(i + 5) % 14]!.before }));
    await writeFile(join(ROOT, "scrambled.jsonl"), jsonLines(scrambled));
    await runCommand("behavior", words({ out: other }, join(ROOT, "scrambled.jsonl")));
    const { stdout, stderr } = await runCli([
      "behavior",
      ...words(
        { out, "orthogonal-to-behavior": other, "orthogonal-to": "length,tag:even", probe: "lda" },
        file,
      ),
    ]);
    expect(stdout).toContain("orthogonal to length, length, tag:even\n");
    expect(stderr).toMatch(/layer \d: the direction of tag:even is not stable/);
    const [clear, nuisance] = [await readBehavior(out), await readBehavior(other)];
    for (const layer of LAYERS) {
      const vector = nuisance.directions.get(layer)!;
      expect(Math.abs(cosine(clear.directions.get(layer)!, vector)!)).toBeLessThan(1e-4);
    }
    const report = JSON.parse(await readFile(join(ROOT, "clear.json"), "utf8")) as {
      diagnostics: { removedShare: number }[];
    };
    for (const { removedShare } of report.diagnostics) expect(removedShare).toBeGreaterThan(0);
  });

  it("chooses a layer, and says how", async () => {
    const { head } = await readBehavior(OUT);
    expect(head.layerChoice.kind).toBe("chosen");
    expect(result.stdout).toContain(`chosen: ${head.layerChoice.reason}\nsteering effect: not`);
  });

  it("lists pairs that give no difference, and warns of them", async () => {
    const file = join(ROOT, "mixed.jsonl");
    const [first, ...rest] = rows;
    await writeFile(
      file,
      jsonLines([
        { ...first, after: first!.before },
        { ...rest[0], before: " " },
        ...rest.slice(1),
        { ...rest[0], id: "long", prompt: "river ".repeat(300) },
      ]),
    );
    const out = join(ROOT, "mixed.safetensors");
    const run = await runCli(["behavior", ...words({ out }, file)]);
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/^warning: 3 unusable response pairs, listed in the JSON report: /m);
    const report = JSON.parse(await readFile(join(ROOT, "mixed.json"), "utf8")) as {
      unusable: unknown[];
    };
    expect(report.unusable).toMatchObject([
      { file, row: 0, reason: "identical-sides" },
      { file, row: 1, reason: "empty-side" },
      { id: "long", reason: "prompt-too-long" },
    ]);
  });
});

describe("bad input", () => {
  const out = join(ROOT, "never.safetensors");
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(ROOT, name), text);
    return join(ROOT, name);
  };

  it.each<[string, Record<string, string>, RegExp]>([
    ["an --out that exists", { out: OUT }, /winter\.safetensors: exists already/],
    ["an --out of another kind", { out: join(ROOT, "x.npz") }, /ending in \.safetensors/],
    ["an --out in no folder", { out: join(ROOT, "no/x.safetensors") }, /no such folder/],
    ["a layer beyond the last", { layers: "4" }, /layers 0 to 3, got 4/],
    ["an unknown weighting", { weighting: "best" }, /--weighting: expected rollout or scenario/],
    ["an unknown probe", { probe: "svm" }, /--probe: expected mean-difference, logistic or lda/],
    ["an unknown measure", { "orthogonal-to": "tone" }, /--orthogonal-to: expected length, /],
    ["a measure that never varies", { "orthogonal-to": "code" }, /that differ in it, got none/],
    ["no splits", { splits: "0" }, /--splits: expected a whole number from 1/],
    ["too many tokens", { "max-tokens": "9999" }, /256 positions, got 9999/],
  ])("%s is a usage error", async (_about, changes, says) => {
    const before = await readFile(OUT);
    const error = await expectFailure(
      runCommand("behavior", words({ out, ...changes })),
      ConfigError,
    );
    expect(error.message).toMatch(says);
    expect((await readFile(OUT)).equals(before)).toBe(true);
    expect(await readdir(ROOT)).not.toContain("never.safetensors");
  });

  it.each(["logistic", "lda"])(
    "responses of one class for --probe %s end with exit status 2 and the next step",
    async (probe) => {
      const one = await file(
        "one-class.jsonl",
        jsonLines(rows.map(({ id, prompt, after }) => ({ id, prompt, after }))),
      );
      const run = await runCli(["behavior", ...words({ out, probe }, one)]);
      expect(run).toMatchObject({ code: 2, stdout: "" });
      expect(run.stderr).toMatch(/one-class\.jsonl, row 0: before: expected a value, got none\n/);
      expect(run.stderr).toContain("this row has an after-response alone: give it the other");
      expect(run.stderr).toContain("culprit conditions makes both");
      expect(await readdir(ROOT)).not.toContain("never.safetensors");
    },
  );

  it.each<[string, string, new (...args: never[]) => CulpritError, RegExp]>([
    ["an empty file", "", FormatError, /expected rows \{id, prompt, before, after\}, got none/],
    ["a broken line", '{"id": 1', FormatError, /row 0/],
    [
      "a missing side",
      jsonLines([{ id: "a", prompt: "p", before: "b" }]),
      FormatError,
      /row 0: .*after/,
    ],
    [
      "only unusable pairs",
      jsonLines([{ id: "a", prompt: "p", before: "b", after: "b" }]),
      NoUsablePairError,
      /none of 1 response pairs is usable/,
    ],
  ])("%s is named", async (about, text, kind, says) => {
    const path = await file(`${about.replaceAll(" ", "-")}.jsonl`, text);
    const error = await expectFailure(runCommand("behavior", words({ out }, path)), kind);
    expect(error.message).toMatch(says);
    expect(await readdir(ROOT)).not.toContain("never.json");
  });

  it("an activation that overflows names layer and pair, exits 1, and writes nothing", async () => {
    const dir = await makeTinyCheckpoint(join(ROOT, "loud"), {
      edit: (weights) => {
        for (const name of ["gate", "up"])
          weights.get(`model.layers.0.mlp.${name}_proj.weight`)!.values.fill(3e38);
      },
    });
    const run = await runCli(["behavior", ...words({ checkpoint: dir, out })]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /response pair "response-\d+": an activation at layer 2 is not finite/,
    );
    expect(await readdir(ROOT)).not.toContain("never.safetensors");
  });
});
