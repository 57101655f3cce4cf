import { cp, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { formatPlan } from "../src/cli/plan-table.ts";
import { openInputs } from "../src/experiment/open-inputs.ts";
import { planExperiment } from "../src/experiment/plan-experiment.ts";
import { planRun } from "../src/experiment/plan-run.ts";
import { parseExperiment, readExperiment } from "../src/experiment/read-experiment.ts";
import { type Stage, stageId } from "../src/experiment/stage.ts";
import { smallExperiment } from "./support/small-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const SUITE = suiteFolder();
const LEAST = `name: least
checkpoints: { before: sft }
pairs: { files: [pairs.jsonl] }
responses: responses.jsonl
behavior: { layers: [1] }
`;
const RAY = 'kind: ray, address: "http://head:8265", storage: /mnt/shared';

describe("engine.kind ray", () => {
  it("is one line of an experiment", () => {
    const { engine } = parseExperiment(`${LEAST}engine: { ${RAY} }`, "e.yaml");
    expect(engine).toMatchObject({ kind: "ray", storage: "/mnt/shared" });
  });

  it.each([
    ["engine: { kind: ray, storage: /mnt }", /engine\.address .*expected the address/],
    ['engine: { kind: ray, address: "h:1", storage: mnt }', /engine\.storage .*absolute path/],
    [`engine: { ${RAY}, device: webgpu }`, /engine\.device .*expected cpu or cuda/],
    [`engine: { ${RAY}, weights: shared }`, /engine\.weights .*expected none/],
    [
      `engine: { ${RAY} }\nrank: { methods: [{ name: influence-probe }] }`,
      /rank\.methods .*not influence/,
    ],
    [`engine: { ${RAY} }\nrank: { methods: [{ name: tracin }] }`, /rank\.methods .*not tracin/],
    [`engine: { ${RAY} }\ntrain: { learningRate: 1e-5 }`, /engine\.training .*expected local/],
    [
      `engine: { ${RAY} }\nrank: { methods: [{ name: loss-diff }] }`,
      /engine\.training .*expected local/,
    ],
    ["engine: { precision: BF16 }", /engine\.precision .*expected engine\.kind ray with it/],
    ["engine: { precision: INT8 }", /engine\.precision .*culprit embed and culprit behavior/],
    ["engine: { precision: W8A8 }", /engine\.precision .*W8A8 is for culprit embed/],
    [`engine: { ${RAY}, precision: W8A8 }`, /engine\.precision .*expected F32 or BF16/],
    [`engine: { ${RAY}, precision: INT8 }`, /engine\.precision .*expected F32 or BF16/],
  ])("refuses what it does not do: %s", (line, message) => {
    expect(() => parseExperiment(`${LEAST}${line}\n`, "e.yaml")).toThrow(message);
  });

  it("trains beside the cluster where that is said", () => {
    const text = `${LEAST}train: { learningRate: 1e-5 }\nengine: { ${RAY}, training: local }`;
    expect(parseExperiment(text, "e.yaml").engine.training).toBe("local");
  });

  it("says in the plan where the work would be done, and forecasts nothing from this machine", async () => {
    const folder = await smallExperiment(SUITE, [`engine: { ${RAY}, training: local }`]);
    const file = await readExperiment(join(folder, "experiment.yaml"));
    const plan = await planRun(file, { out: join(folder, "out") });
    const shown = formatPlan(plan);
    expect(shown).toContain("by engine ray at http://head:8265\ntraining runs in this process");
    expect(plan.stages.every(({ seconds }) => seconds === undefined)).toBe(true);
  });

  it("looks into a checkpoint's weights before the first stage", async () => {
    const folder = await smallExperiment(SUITE);
    await cp(join(SUITE, "sft"), join(folder, "sft"), { recursive: true });
    const weights = join(folder, "sft", "model.safetensors");
    await truncate(weights, (await stat(weights)).size - 8);
    const path = join(folder, "experiment.yaml");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(join(SUITE, "sft"), "sft"));
    const file = await readExperiment(path);
    await expect(openInputs(file, {})).rejects.toThrow(/sft\/model\.safetensors/);
  });

  it("makes the same stages wherever the cluster is and however large, and others by another engine", async () => {
    const settings = async (line: string): Promise<unknown> => {
      const folder = await smallExperiment(SUITE, [`engine: { ${line} }`]);
      const file = await readExperiment(join(folder, "experiment.yaml"));
      const stages = planExperiment(file.experiment, await openInputs(file, {}));
      return stages.find((stage: Stage) => stageId(stage) === "embed")!.settings;
    };
    const first = await settings(RAY);
    expect(await settings('kind: ray, address: "http://x:1", storage: /y, workers: 3')).toEqual(
      first,
    );
    expect(await settings("kind: local")).not.toEqual(first);
    expect(await settings(`${RAY}, precision: BF16`)).not.toEqual(first);
  });
});
