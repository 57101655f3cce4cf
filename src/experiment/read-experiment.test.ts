import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError } from "../util/errors.ts";
import { experimentJsonSchema } from "./json-schema.ts";
import { parseExperiment, readExperiment } from "./read-experiment.ts";
import { settingsTable } from "./settings-table.ts";

const LEAST = `name: least
checkpoints: { before: sft }
pairs: { files: [pairs.jsonl] }
responses: responses.jsonl
behavior: { layers: [1] }
`;
const inRepository = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe("parseExperiment", () => {
  it("fills in the defaults of everything left out", () => {
    const experiment = parseExperiment(LEAST, "least.yaml");
    expect(experiment.attribution).toMatchObject({
      methods: [{ name: "probe", scorer: "cosine" }],
      layer: "auto",
      dtype: "F16",
    });
    expect(experiment.behavior).toMatchObject({ weighting: "rollout", splits: 200, seed: 0 });
    expect(experiment.engine).toEqual({ kind: "local", device: "cpu" });
  });

  it.each([
    [
      "an unknown setting",
      "attribution: { layre: 2 }",
      "attribution.layre (line 6): is no setting; did you mean layer? known here: methods, layer, nulls, dtype, shardRows, maxTokens",
    ],
    ["an unknown part", "stearing: {}", "stearing (line 6): is no setting; did you mean steering?"],
    [
      "a setting that stands deeper",
      "judge: { apiKeyEnv: KEY }",
      "judge.rules (line 6): expected text, got nothing\n  judge.apiKeyEnv (line 6): is no setting; did you mean judge.endpoint.apiKeyEnv?",
    ],
    [
      "a wrong type",
      "attribution: { layer: last }",
      'attribution.layer (line 6): expected a layer number or auto, got "last"',
    ],
    [
      "a wrong choice",
      "attribution:\n  methods: [{ scorer: dot }]",
      'attribution.methods[0].scorer (line 7): expected cosine, projection, centred-cosine, bank-max, got "dot"',
    ],
    [
      "a number out of range",
      "attribution: { shardRows: 0 }",
      "attribution.shardRows (line 6): expected a number of at least 1, got 0",
    ],
    [
      "steering that nothing can be projected out for",
      "steering: {}",
      "steering.on (line 6): expected evaluation or probe with scenarios to sample, got nothing\n  judge (line 1): steering needs rules or an LLM to judge new responses, got nothing\n  steering.modes (line 6): project-out needs checkpoints.after or training on this machine: expected [add], got nothing",
    ],
    [
      "text for a number",
      "cost: { pricePerHour: cheap }",
      'cost.pricePerHour (line 6): expected a number, got "cheap"',
    ],
  ])("says where %s stands, what was expected and what is there", async (_, text, message) => {
    const error = await expectFailure(
      () => parseExperiment(`${LEAST}${text}\n`, "my.yaml"),
      ConfigError,
    );
    expect(error.message).toBe(`my.yaml: ${message}`);
  });

  it.each([
    ["strength: 1, modes: [project-out]", "strength", "got 1"],
    ["grid: [1, 2], modes: [project-out]", "grid", "got [1,2]"],
    ["projectOutAt: own, modes: [add]", "projectOutAt", 'got "own"'],
    ["projectOutAt: [1, 1], modes: [project-out]", "projectOutAt", "each layer once, got [1,1]"],
    ["strength: 0", "strength", "a number above 0, got 0"],
  ])("refuses steering: { %s }", async (settings, name, got) => {
    const text = LEAST.replace(
      "responses: responses.jsonl",
      "training: { learningRate: 1e-3 }\njudge: { rules: refusal }\nprobe: { scenarios: s.jsonl }",
    );
    const error = await expectFailure(
      () => parseExperiment(`${text}steering: { ${settings} }\n`, "my.yaml"),
      ConfigError,
    );
    const [first, ...others] = error.message.split("\n");
    expect(first).toContain(`steering.${name} (line `);
    expect(first).toContain(got);
    expect(others).toEqual([]);
  });

  it("names every fault, those of a list by their place", async () => {
    const text = LEAST.replace("[1]", "[1, x]").replace("files: [pairs.jsonl]", "files: []");
    const error = await expectFailure(() => parseExperiment(text, "my.yaml"), ConfigError);
    expect(error.message.split("\n")).toEqual([
      "my.yaml: pairs.files (line 3): expected at least 1 entries, got []",
      '  behavior.layers[1] (line 5): expected a number, got "x"',
    ]);
  });

  it("names what is missing", async () => {
    const error = await expectFailure(() => parseExperiment("name: x", "my.yaml"), ConfigError);
    expect(error.message).toContain("checkpoints (line 1): expected settings by name, got nothing");
  });

  it("gives line and column where the text is not YAML", async () => {
    const error = await expectFailure(() => parseExperiment("a: [1", "my.yaml"), ConfigError);
    expect(error.message).toMatch(/^my\.yaml: line \d+, column \d+: /);
  });
});

it("reads the example files", async () => {
  const file = await readExperiment(inRepository("examples/response-pairs.yaml"));
  expect(file.at("pairs.jsonl.gz")).toBe(inRepository("examples/pairs.jsonl.gz"));
  expect(file.at("hf://allenai/OLMo-2-0425-1B-SFT")).toBe("hf://allenai/OLMo-2-0425-1B-SFT");
});

// Made again with: npx tsx src/cli/main.ts run --schema > examples/experiment.schema.json
it("has the JSON Schema for editors up to date", async () => {
  const text = await readFile(inRepository("examples/experiment.schema.json"), "utf8");
  expect(JSON.parse(text)).toEqual(experimentJsonSchema());
});

// Made again with: npx tsx src/cli/main.ts run --settings, between the two marks
it("has the table of settings in the docs up to date", async () => {
  const text = await readFile(inRepository("docs/experiments.md"), "utf8");
  expect(text).toContain(`<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->`);
});
