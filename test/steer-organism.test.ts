/** What steering does on a model organism: files of golden/steer-organism, made by its make.sh. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { steerCommand } from "../src/cli/commands/steer.ts";
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
    "max-new-tokens": "48",
    batch: "128",
    ...more,
  }).flatMap(([flag, value]) => [`--${flag}`, value]),
];

const steered = async (more: Readonly<Record<string, string>>): Promise<SteeringReport> =>
  JSON.parse(await runCommand(steerCommand, [...words(more), "--json"])) as SteeringReport;

const rateOf = (arm: { rates: SteeringReport["unsteered"]["rates"] } | undefined): number =>
  arm!.rates[0]!.rate.rate!;

describe("steering the organism diffuse", { timeout: 300_000 }, () => {
  const add = join(folder, "add");
  const adding = {
    mode: "add",
    layers: "4",
    samples: "2",
    grid: "1,1.5,3",
    halvings: "0",
    out: add,
  };
  let layer: LayerSteering | undefined;

  it("by the probe brings the behaviour out of M0, and random directions do not", async () => {
    const report = await steered(adding);
    layer = report.layers[0]!;
    expect(rateOf(report.unsteered)).toBe(0);
    expect(rateOf(layer.steered)).toBeGreaterThan(0.15);
    expect(layer.random!.directions).toHaveLength(3);
    for (const arm of layer.random!.directions) expect(rateOf(arm)).toBeLessThan(0.03);
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
    const kept = join(add, "arms/layer-4-strength-1.5");
    const { mtimeMs } = statSync(join(kept, "rollouts.jsonl"));
    for (const name of ["verdicts.jsonl", "coherence.json"]) {
      expect(existsSync(join(kept, name))).toBe(true);
    }
    await steered(adding);
    expect(readFileSync(join(add, "steering.json"), "utf8")).toBe(before);
    expect(statSync(join(kept, "rollouts.jsonl")).mtimeMs).toBe(mtimeMs);
    await expect(steered({ ...adding, samples: "3" })).rejects.toThrow(
      /other settings \(samples\)/,
    );
    expect(readFileSync(join(add, "steering.json"), "utf8")).toBe(before);
  });

  it("touches no folder that holds other things", async () => {
    await expect(steered({ ...adding, out: FILES })).rejects.toThrow(/expected an empty folder/);
    expect(existsSync(join(FILES, "steering.json"))).toBe(false);
  });

  it("projected out of M1 takes most of the behaviour away, and random directions do not", async () => {
    const report = await steered({
      mode: "project-out",
      layers: "1",
      samples: "1",
      adapter: join(FILES, "adapter"),
      out: join(folder, "out"),
    });
    const [out] = report.layers;
    expect(rateOf(report.unsteered)).toBeGreaterThan(0.8);
    expect(rateOf(out!.steered)).toBeLessThan(0.4 * rateOf(report.unsteered));
    for (const arm of out!.random!.directions) {
      expect(rateOf(arm)).toBeGreaterThan(0.7 * rateOf(report.unsteered));
    }
    expect(out!.effects.map(({ verdict }) => verdict)).toEqual(["causes"]);
  });
});
