/** `culprit shifts` and `culprit forecast` as a user runs them: a random checkpoint, pairs that teach some words, and a bank of behaviours, one for each word. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { type Forecast, FORECAST } from "../src/forecast/forecast-file.ts";
import { SHIFTS } from "../src/forecast/shifts-file.ts";
import { createRng } from "../src/util/rng.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomText } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const at = (name: string): string => join(ROOT, name);
/** How many of ten pairs have the word on the chosen side, not the rejected one. */
const TAUGHT = { winter: 10, garden: 9, paper: 7, lamp: 5, stone: 3, river: 1, house: 0 } as const;
const NAMES = Object.keys(TAUGHT);
const THREADS = ["--threads", "1"];
const MODEL = ["--checkpoint", at("sft"), ...THREADS];

const rng = createRng(5);
const saying = (word: string): string => `${word} ${word} ${randomText(rng, 1)}`;
const pairs = Object.entries(TAUGHT).flatMap(([word, taught], w) =>
  Array.from({ length: 20 }, (_, i) => {
    const sides = [saying(word), randomText(rng, 3)];
    const [chosen, rejected] = i % 10 < taught ? sides : sides.toReversed();
    // Two pairs for each prompt.
    const prompt = `${randomText(createRng(w * 100 + (i >> 1)), 4)} ${w}`;
    return {
      id: `${word}-${i}`,
      source: w % 2 === 0 ? "north" : "south",
      prompt,
      chosen,
      rejected,
    };
  }),
);
const responses = (word: string): object[] =>
  Array.from({ length: 8 }, (_, i) => ({
    id: `${word}-${i}`,
    prompt: randomText(rng, 5),
    before: randomText(rng, 3),
    after: saying(word),
  }));

const behaviorFiles = (features: string): string[] =>
  NAMES.flatMap((name) => ["--behavior", at(`${features}/${name}.safetensors`)]);
const heldOut = NAMES.flatMap((name) => ["--responses", at(`held-out/${name}.jsonl`)]);
const made = [at("states-vectors"), at("influence-vectors"), ...THREADS];
const all = [...made, ...behaviorFiles("states"), ...behaviorFiles("influence")];

let printed = "";
let forecast: Forecast;

beforeAll(async () => {
  await makeTinyCheckpoint(at("sft"));
  await makeTinyCheckpoint(at("other"), { seed: 2 });
  await writeFile(at("pairs.jsonl"), jsonLines(pairs));
  for (const folder of ["responses", "held-out", "states", "influence"]) await mkdir(at(folder));
  for (const name of NAMES) {
    await writeFile(at(`responses/${name}.jsonl`), jsonLines(responses(name)));
    await writeFile(at(`held-out/${name}.jsonl`), jsonLines(responses(name)));
  }
  for (const features of ["states", "influence"]) {
    const how = ["--layers", "3", "--features", features, ...MODEL];
    const out = at(`${features}-vectors`);
    await runCommand("embed", [at("pairs.jsonl"), ...how, "--out", out]);
    for (const name of NAMES) {
      const file = at(`${features}/${name}.safetensors`);
      await runCommand("behavior", [at(`responses/${name}.jsonl`), ...how, "--out", file]);
    }
  }
  printed = await runCommand("forecast", [
    ...all,
    "--pairs",
    at("pairs.jsonl"),
    "--out",
    at("f.json"),
  ]);
  forecast = await FORECAST.read(at("f.json"));
  const settings = [
    "--learning-rate",
    "1e-3",
    "--batch-size",
    "20",
    "--epochs",
    "1",
    "--beta",
    "1",
  ];
  await runCommand("train", [at("pairs.jsonl"), ...MODEL, ...settings, "--out", at("dpo")]);
  await runCommand("shifts", [...heldOut, ...MODEL, "--trained", at("dpo"), "--out", at("s.json")]);
}, 60_000);

const score = (...words: string[]): Promise<string> =>
  runCommand("forecast", ["--forecast", at("f.json"), "--score", at("s.json"), ...words]);

describe("culprit forecast", () => {
  it("says of each behaviour what pairs and checkpoint say before any training, by prompts", () => {
    const { pairs: counts, predictors, behaviors, cells } = forecast;
    expect(counts).toMatchObject({ count: 140, clusters: 70, clusteredBy: "prompt", unusable: 0 });
    expect(behaviors.map(({ name }) => name)).toEqual(NAMES);
    expect(predictors).toContain("states.share");
    expect(predictors).toContain("influence.product");
    const product = behaviors.map(({ values }) => values["influence.product"]!.value);
    expect(product[0]).toBeGreaterThan(product[3]!);
    expect(product[3]).toBeGreaterThan(product[6]!);
    for (const { values, nulls } of behaviors) {
      const { value, low, high } = values["states.projection"]!;
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
      expect(nulls["states"]!.p).toBeGreaterThan(0);
    }
    expect(cells).toHaveLength(2 * NAMES.length);
    expect(cells[0]).toMatchObject({ topic: "north", behavior: "winter", pairs: 80, agree: true });
    expect(printed).toMatch(/7 behaviours, 140 pairs of 70 prompts; states at layer 3/);
  });

  it("scores it after training, with hits and misses and every baseline", async () => {
    const shown = await score("--out", at("scored.json"));
    const { score: found } = await FORECAST.read(at("scored.json"));
    expect(found).toMatchObject({ measure: "margin", samePairs: "yes", heldOut: 7, missing: {} });
    const names = found!.forecasts.map(({ name }) => name);
    expect(names).toEqual(["combination", ...forecast.predictors, "no-change", "length", "margin"]);
    const own = found!.forecasts.find(({ name }) => name === "influence.product")!;
    expect(own.r2!.value).toBeGreaterThan(0.5);
    expect(own.r2!.low).toBeLessThan(own.r2!.value);
    expect(found!.forecasts.find(({ name }) => name === "no-change")!.signs.count).toBe(0);
    const misses = found!.behaviors.filter(({ hit }) => hit === false).length;
    expect(shown).toContain(`combination: ${7 - misses} hits, ${misses} misses`);
    expect(shown.match(/MISS/g)?.length ?? 0).toBe(misses);
  });

  it("measures margins that the checkpoints' own log-probabilities give", async () => {
    const { behaviors, training } = await SHIFTS.read(at("s.json"));
    expect(training!.rows).toBe(140);
    for (const { margin, tokens, "per-token": perToken } of behaviors) {
      expect(margin!.after - margin!.before).toBeCloseTo(margin!.shift, 9);
      expect(perToken!.after - perToken!.before).toBeCloseTo(perToken!.shift, 9);
      // A handful of tokens a response.
      expect(Math.abs(perToken!.shift)).toBeLessThan(Math.abs(margin!.shift) + 1);
      expect(Number.isFinite(tokens)).toBe(true);
    }
    const [first, last] = [behaviors[0]!, behaviors.at(-1)!];
    expect(first.margin!.shift).toBeGreaterThan(last.margin!.shift);
    expect(await score("--measure", "per-token")).toContain("shift of the per-token");
  });

  it("gives the same bytes again", async () => {
    await runCommand("forecast", [...all, "--pairs", at("pairs.jsonl"), "--out", at("again.json")]);
    expect(await readFile(at("again.json"))).toEqual(await readFile(at("f.json")));
  });

  it("is calibrated by an earlier one that has not seen these shifts", async () => {
    await writeFile(at("others.jsonl"), jsonLines(pairs.slice(1)));
    const stores: string[] = [];
    for (const features of ["states", "influence"]) {
      const out = at(`others-${features}`);
      const how = ["--layers", "3", "--features", features, ...MODEL, "--out", out];
      await runCommand("embed", [at("others.jsonl"), ...how]);
      stores.push(out);
    }
    const training = ["--max-steps", "2", "--learning-rate", "1e-3", "--beta", "1"];
    const out = ["--out", at("dpo-others")];
    await runCommand("train", [at("others.jsonl"), ...MODEL, ...training, ...out]);
    const measured = ["--trained", at("dpo-others"), "--out", at("others.json")];
    await runCommand("shifts", [...heldOut, ...MODEL, ...measured]);
    const files = [...behaviorFiles("states"), ...behaviorFiles("influence")];
    const given = [...stores, ...THREADS, ...files, "--calibrate", at("scored.json")];
    const scoring = ["--score", at("others.json"), "--out", at("calibrated.json")];
    const shown = await runCommand("forecast", [...given, ...scoring]);
    const { behaviors, score: found } = await FORECAST.read(at("calibrated.json"));
    const [{ name, forecast: own }] = behaviors as [Forecast["behaviors"][number]];
    expect(own!.low).toBeLessThan(own!.value);
    const scored = found!.behaviors.find((each) => each.name === name)!;
    expect(scored.predicted!["combination"]).toEqual(own);
    expect(found).toMatchObject({ holdout: "given", heldOut: NAMES.length });
    expect(shown).toContain("which has not seen these shifts");
    await expect(runCommand("forecast", [...given, "--holdout", "split"])).rejects.toThrow(
      /--holdout: expected none/,
    );
    const again = ["--forecast", at("calibrated.json"), "--score", at("others.json")];
    await expect(runCommand("forecast", [...again, "--holdout", "split"])).rejects.toThrow(
      /holdout: expected none, as the forecast was made by a calibration/,
    );
  });

  it("is not calibrated by one that has seen the shifts that it forecasts", async () => {
    await expect(
      runCommand("forecast", [...all, "--calibrate", at("scored.json")]),
    ).rejects.toThrow(
      /calibration that has not seen these shifts, got one on the same pairs by 7 of/,
    );
  });

  it("draws samples by the seed that is given with the score", async () => {
    expect(await score("--seed", "1")).not.toBe(await score("--seed", "2"));
    expect(await score("--seed", "1")).toBe(await score("--seed", "1"));
  });

  it("measures projections of rollouts, of which a forecast can be scored too", async () => {
    const prompts = NAMES.map((name) => ({ id: name, prompt: randomText(rng, 4), tags: [name] }));
    await writeFile(at("prompts.jsonl"), jsonLines(prompts));
    const how = ["--rollouts", "2", "--max-tokens", "6", ...THREADS];
    for (const [checkpoint, file] of [
      ["sft", "before.jsonl"],
      ["dpo", "after.jsonl"],
    ] as const) {
      const words = [at("prompts.jsonl"), "--checkpoint", at(checkpoint), ...how];
      await runCommand("generate", [...words, "--out", at(file)]);
    }
    const rollouts = ["--before", at("before.jsonl"), "--after", at("after.jsonl")];
    const words = [...behaviorFiles("states"), ...rollouts, ...MODEL, "--layer", "3"];
    const warnings: string[] = [];
    await runCommand("shifts", [...words, "--own-prompts", "--out", at("p.json")], (line) =>
      warnings.push(line),
    );
    const { behaviors } = await SHIFTS.read(at("p.json"));
    for (const { projection } of behaviors) {
      expect(projection!.items).toBe(1);
      expect(projection!.after - projection!.before).toBeCloseTo(projection!.shift, 9);
    }
    expect(warnings.join("\n")).toContain("does not say what it was trained on");
    const scored = ["--forecast", at("f.json"), "--score", at("p.json")];
    expect(await runCommand("forecast", scored)).toContain(
      "not scored: length: culprit shifts measured no",
    );
    const turned = words.map((word) => (word === at("before.jsonl") ? at("after.jsonl") : word));
    await expect(runCommand("shifts", turned)).rejects.toThrow(
      /--after: expected the rollouts of another checkpoint, got one file for both/,
    );
    const others = ["--before", at("after.jsonl"), "--after", at("before.jsonl")];
    await expect(
      runCommand("shifts", [...behaviorFiles("states"), ...others, ...MODEL, "--layer", "3"]),
    ).rejects.toThrow(/before: expected rollouts of/);
  });

  it.each([
    [
      "a layer that the store lacks",
      [...all, "--layers", "1"],
      /expected layers of the stores .*got 1 too/,
    ],
    [
      "behaviours of features without a store",
      [made[0]!, ...behaviorFiles("influence")],
      /expected states like the stores/,
    ],
    [
      "a behaviour that one store lacks",
      [...made, ...behaviorFiles("states")],
      /"winter": expected one of influence/,
    ],
    [
      "a behaviour twice",
      [made[0]!, ...behaviorFiles("states"), ...behaviorFiles("states").slice(0, 2)],
      /"winter" of states twice/,
    ],
    [
      "one store twice",
      [made[0]!, made[0]!, ...behaviorFiles("states")],
      /one store of states features, got two/,
    ],
    ["nothing to do", ["--forecast", at("f.json")], /expected what training did/],
    ["a layer that no store has", [...all, "--layers", "3,99"], /got 99 too/],
    ["how to score, without a score", [...all, "--holdout", "split"], /--score is what it is for/],
    [
      "topics of a forecast that was made",
      ["--forecast", at("f.json"), "--score", at("s.json"), "--by", "source"],
      /--by: expected none .*it has read its stores/,
    ],
    ["a forecast and stores", [...all, "--forecast", at("f.json")], /one of the two/],
    [
      "a calibration without a score",
      [...all, "--calibrate", at("f.json")],
      /expected a scored forecast/,
    ],
    [
      "a file that is no forecast",
      ["--forecast", at("s.json"), "--score", at("s.json")],
      /expected what culprit forecast wrote/,
    ],
  ])("refuses %s", async (_, words, message) => {
    await expect(runCommand("forecast", words)).rejects.toThrow(message);
  });

  it("knows a behaviour under another name by its figures, where the calibration has seen it", async () => {
    const renamed: string[] = [];
    for (const features of ["states", "influence"]) {
      const file = at(`${features}-renamed.safetensors`);
      const how = ["--layers", "3", "--features", features, "--name", "fresh", ...MODEL];
      await runCommand("behavior", [at("responses/lamp.jsonl"), ...how, "--out", file]);
      renamed.push("--behavior", file);
    }
    const words = [...made, ...renamed, "--pairs", at("pairs.jsonl")];
    await expect(
      runCommand("forecast", [...words, "--calibrate", at("scored.json")]),
    ).rejects.toThrow(/got one on the same pairs by 1 of these behaviours: fresh/);
  });

  it("warns where shifts were measured on what a behaviour was made of", async () => {
    const own = NAMES.flatMap((name) => ["--responses", at(`responses/${name}.jsonl`)]);
    const measured = ["--trained", at("dpo"), "--out", at("own.json")];
    await runCommand("shifts", [...own, ...MODEL, ...measured]);
    const warnings: string[] = [];
    const words = ["--forecast", at("f.json"), "--score", at("own.json")];
    await runCommand("forecast", words, (line) => void warnings.push(line));
    expect(warnings.join("\n")).toMatch(/very response pairs .*: winter, garden/);
  });

  it("says where a file is not there", async () => {
    await expect(
      runCommand("forecast", ["--forecast", at("nope.json"), "--score", at("s.json")]),
    ).rejects.toThrow(/nope\.json: no such file/);
  });

  it("warns where the trained checkpoint began elsewhere", async () => {
    const warnings: string[] = [];
    const turned = ["--checkpoint", at("dpo"), "--trained", at("dpo"), ...THREADS];
    const words = [...heldOut.slice(0, 2), ...turned, "--out", at("turned.json")];
    await runCommand("shifts", words, (line) => void warnings.push(line));
    expect(warnings.join("\n")).toMatch(/its training began from another checkpoint than .*dpo/);
  });

  it("refuses tokens of rollouts where margins alone are measured", async () => {
    const trained = ["--trained", at("dpo"), "--max-tokens", "8", "--out", at("x.json")];
    await expect(runCommand("shifts", [...heldOut, ...MODEL, ...trained])).rejects.toThrow(
      /margins are of whole responses/,
    );
  });

  it("refuses behaviours of another checkpoint by name", async () => {
    const file = at("foreign.safetensors");
    const how = ["--layers", "3", "--checkpoint", at("other"), ...THREADS];
    await runCommand("behavior", [at("responses/lamp.jsonl"), ...how, "--out", file]);
    const words = [made[0]!, ...behaviorFiles("states"), "--behavior", file];
    await expect(runCommand("forecast", words)).rejects.toThrow(
      /"foreign": expected the checkpoint/,
    );
  });

  it("takes what an adapter says of its training, not what the folder below it says of an earlier one", async () => {
    await writeFile(at("half.jsonl"), jsonLines(pairs.slice(0, 70)));
    const settings = ["--max-steps", "1", "--learning-rate", "1e-4", "--beta", "1", "--lora"];
    const from = ["--checkpoint", at("dpo"), ...THREADS];
    await runCommand("train", [at("half.jsonl"), ...from, ...settings, "--out", at("lora")]);
    const trained = ["--trained", at("dpo"), "--trained-adapter", at("lora")];
    await runCommand("shifts", [...heldOut, ...from, ...trained, "--out", at("lora.json")]);
    const { checkpoint, training } = await SHIFTS.read(at("lora.json"));
    expect(training).toMatchObject({ rows: 70, startHash: checkpoint.checkpointHash });
  });

  it("refuses what training on other pairs, or from another checkpoint, did", async () => {
    await writeFile(at("fewer.jsonl"), jsonLines(pairs.slice(1)));
    const train = [at("fewer.jsonl"), ...MODEL, "--max-steps", "1", "--learning-rate", "1e-4"];
    await runCommand("train", [...train, "--beta", "1", "--out", at("dpo-fewer")]);
    const words = [...heldOut, ...MODEL, "--trained", at("dpo-fewer"), "--out", at("fewer.json")];
    await runCommand("shifts", words);
    await expect(
      runCommand("forecast", ["--forecast", at("f.json"), "--score", at("fewer.json")]),
    ).rejects.toThrow(/got a training on other data/);
    const foreign = [...heldOut, "--checkpoint", at("other"), ...THREADS];
    await runCommand("shifts", [
      ...foreign,
      "--trained",
      at("dpo"),
      "--out",
      at("foreign-shifts.json"),
    ]);
    await expect(
      runCommand("forecast", ["--forecast", at("f.json"), "--score", at("foreign-shifts.json")]),
    ).rejects.toThrow(/shifts from the checkpoint of the forecast/);
  });
});
