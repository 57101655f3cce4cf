/** What steering does on a model organism: files of golden/steer-organism, made by its make.sh. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { LayerSteering, SteeringReport } from "../src/index.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const ORGANISM = join(import.meta.dirname, "../organisms/diffuse");
const FILES = join(import.meta.dirname, "golden/steer-organism");

const words = (more: Readonly<Record<string, string>>): string[] => [
  join(ORGANISM, "scenarios.evaluation.jsonl"),
  ...Object.entries({
    checkpoint: join(ORGANISM, "checkpoint"),
    behavior: join(FILES, "behavior.safetensors"),
    rules: join(ORGANISM, "rules.yaml"),
    variants: "base+distractor",
    temperature: "0.7",
    "max-tokens": "48",
    batch: "128",
    ...more,
  }).flatMap(([flag, value]) => [`--${flag}`, value]),
];

const steered = async (more: Readonly<Record<string, string>>): Promise<SteeringReport> =>
  JSON.parse(await runCommand("steer", [...words(more), "--json"])) as SteeringReport;

const rateOf = (arm: { rates: SteeringReport["unsteered"]["rates"] } | undefined): number =>
  arm!.rates[0]!.rate.rate!;

describe("steering the organism diffuse", { timeout: 300_000 }, () => {
  const add = join(folder, "add");
  const adding = {
    mode: "add",
    rollouts: "4",
    grid: "1,1.5,3",
    halvings: "0",
    out: add,
  };
  const projecting = (out: string): Readonly<Record<string, string>> => ({
    mode: "project-out",
    rollouts: "1",
    adapter: join(FILES, "adapter"),
    out: join(folder, out),
  });
  let layer: LayerSteering | undefined;

  it("by the probe at the layer that was chosen brings the behaviour out of M0, and random directions do not", async () => {
    const report = await steered(adding);
    layer = report.layers[0]!;
    expect(layer).toMatchObject({ layer: 3, at: [3] });
    expect(rateOf(report.unsteered)).toBe(0);
    // Measured: 18%, and 84% at the next strength, whose text is broken.
    expect(rateOf(layer.steered)).toBeGreaterThan(0.12);
    expect(layer.random!.directions).toHaveLength(3);
    for (const arm of layer.random!.directions) expect(rateOf(arm)).toBeLessThan(0.05);
    expect(layer.effects.map(({ verdict }) => verdict)).toEqual(["causes"]);
  });

  it("takes the last strength that leaves the text coherent, whatever rate a larger one has", () => {
    expect(layer!.grid.map(({ strength, isCoherent }) => [strength, isCoherent])).toEqual([
      [1, true],
      [1.5, true],
      [3, false],
    ]);
    expect(layer!.steered!.strength).toBe(1.5);
    expect(rateOf(layer!.grid[2])).toBeGreaterThan(rateOf(layer!.steered));
    expect(layer!.grid[2]!.drop).toBeGreaterThan(2);
  });

  it("keeps every rollout and verdict, and goes on from them with the same report", async () => {
    const before = readFileSync(join(add, "steering.json"), "utf8");
    const kept = join(add, "arms/layer-3-strength-1.5");
    const { mtimeMs } = statSync(join(kept, "rollouts.jsonl"));
    for (const name of ["verdicts.jsonl", "coherence.json"]) {
      expect(existsSync(join(kept, name))).toBe(true);
    }
    await steered(adding);
    expect(readFileSync(join(add, "steering.json"), "utf8")).toBe(before);
    expect(statSync(join(kept, "rollouts.jsonl")).mtimeMs).toBe(mtimeMs);
    await expect(steered({ ...adding, rollouts: "5" })).rejects.toThrow(
      /other settings \(rollouts\)/,
    );
    expect(readFileSync(join(add, "steering.json"), "utf8")).toBe(before);
  });

  it("touches no folder that holds other things", async () => {
    await expect(steered({ ...adding, out: FILES })).rejects.toThrow(/expected an empty folder/);
    expect(existsSync(join(FILES, "steering.json"))).toBe(false);
  });

  it("projected out of M1 takes most of the behaviour away and leaves the text coherent, and random directions do not", async () => {
    const report = await steered(projecting("out"));
    const [out, ...others] = report.layers;
    expect(others).toEqual([]);
    expect(out!.at).toEqual([1, 2, 3, 4]);
    expect(rateOf(report.unsteered)).toBeGreaterThan(0.8);
    expect(rateOf(out!.steered)).toBeLessThan(0.2 * rateOf(report.unsteered));
    expect(out!.steered!.drop).toBeLessThan(1);
    for (const arm of out!.random!.directions) {
      expect(rateOf(arm)).toBeGreaterThan(0.8 * rateOf(report.unsteered));
    }
    expect(out!.effects.map(({ verdict }) => verdict)).toEqual(["causes"]);
  });

  it("taken out at one layer alone, the blocks behind it write most of the behaviour anew", async () => {
    const report = await steered({ ...projecting("own"), "project-out-at": "own" });
    expect(report.layers[0]).toMatchObject({ layer: 3, at: [3] });
    expect(rateOf(report.layers[0]!.steered)).toBeGreaterThan(0.6 * rateOf(report.unsteered));
  });

  it("says of one direction at every layer, embeddings too, that the text falls apart, not that the behaviour needs it", async () => {
    const report = await steered({ ...projecting("all"), "project-out-at": "all", layers: "3" });
    const [out] = report.layers;
    expect(out).toMatchObject({ layer: 3, at: [0, 1, 2, 3, 4] });
    expect(rateOf(out!.steered)).toBeLessThan(0.2 * rateOf(report.unsteered));
    expect(out!.effects.map(({ verdict }) => verdict)).toEqual(["incoherent"]);
  });

  it("says nothing of the behaviour at a strength that leaves noise", async () => {
    const report = await steered({
      mode: "add",
      strength: "1000",
      "random-directions": "1",
      out: join(folder, "noise"),
    });
    const [noise] = report.layers;
    expect(noise!.effects[0]).toMatchObject({
      verdict: "incoherent",
      sentence: expect.stringMatching(/^Nothing can be said of the behaviour/) as string,
    });
    expect(noise!.random!.directions[0]!.isCoherent).toBe(false);
    expect(report.notes).toHaveLength(2);
  });
});
