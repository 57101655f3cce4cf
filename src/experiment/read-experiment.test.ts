import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError } from "../util/errors.ts";
import { verbs, VERBS } from "../verbs/index.ts";
import { defineVerb, need } from "../verbs/verb.ts";
import { parseExperiment, readExperiment } from "./read-experiment.ts";
import { experimentJsonSchema, experimentSchemaOf } from "./schema.ts";
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
    expect(experiment.rank).toMatchObject({
      methods: [{ name: "probe", scorer: "cosine" }],
      layer: "auto",
    });
    expect(experiment.embed).toMatchObject({ dtype: "F16" });
    expect(experiment.behavior).toMatchObject({ weighting: "rollout", splits: 200, seed: 0 });
    expect(experiment.engine).toEqual({ kind: "local", device: "cpu" });
  });

  it.each([
    [
      "a question about a checkpoint after that is not here",
      "membership: {}",
      "membership (line 6): needs a checkpoint after on this machine: expected checkpoints.after, or train, got {}",
    ],
    [
      "an unknown setting",
      "rank: { layre: 2 }",
      "rank.layre (line 6): is no setting; did you mean layer? known here: layer, tops, by, show, methods, rollouts, nulls",
    ],
    ["an unknown part", "trian: {}", "trian (line 6): is no setting; did you mean train?"],
    [
      "a setting that stands deeper",
      "judge: { apiKeyEnv: KEY }",
      "judge.apiKeyEnv (line 6): is no setting; did you mean judge.endpoint.apiKeyEnv?\n  judge.rules (line 6): expected one of rules, rubric and labels, got none",
    ],
    [
      "a wrong type",
      "rank: { layer: last }",
      'rank.layer (line 6): expected a layer number or auto, got "last"',
    ],
    [
      "a wrong choice",
      "rank:\n  methods: [{ scorer: dot }]",
      'rank.methods[0].scorer (line 7): expected cosine, projection, centred-cosine, bank-max, got "dot"',
    ],
    [
      "a number out of range",
      "embed: { shardRows: 0 }",
      "embed.shardRows (line 6): expected a number of at least 1, got 0",
    ],
    [
      "steering that nothing can be projected out for",
      "steer: {}",
      "steer.on (line 6): expected evaluate or probe with scenarios to sample, got nothing\n  judge (line 1): steering needs rules or an LLM to judge new responses, got nothing\n  steer.modes (line 6): project-out needs checkpoints.after or training on this machine: expected [add], got nothing",
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
    ["strength: 1, modes: [project-out]", "strength", "expected mode add with it, got project-out"],
    ["grid: [1, 2], modes: [project-out]", "grid", "expected mode add with it, got project-out"],
    [
      "projectOutAt: own, modes: [add]",
      "projectOutAt",
      "expected mode project-out with it, got add",
    ],
    ["projectOutAt: [1, 1], modes: [project-out]", "projectOutAt", "each layer once, got [1,1]"],
    ["strength: 0", "strength", "a number above 0, got 0"],
  ])("refuses steer: { %s }", async (settings, name, got) => {
    const text = LEAST.replace(
      "responses: responses.jsonl",
      "train: { learningRate: 1e-3 }\njudge: { rules: refusal }\nprobe: { scenarios: s.jsonl }",
    );
    const error = await expectFailure(
      () => parseExperiment(`${text}steer: { ${settings} }\n`, "my.yaml"),
      ConfigError,
    );
    const [first, ...others] = error.message.split("\n");
    expect(first).toContain(`steer.${name} (line `);
    expect(first).toContain(got);
    expect(others).toEqual([]);
  });

  it.each([
    ["rank: { methods: [{ name: length }], layer: 1 }", "rank.layer", "the method length"],
    ["rank: { methods: [{ name: length }], nulls: [n.jsonl] }", "rank.nulls", "the method length"],
    ["edits: [{ action: filter, top: 2, minLift: 1 }]", "edits[0].minLift", "got filter"],
    ["edits: [{ action: filter }]", "edits[0].top", "how many pairs"],
    ["edits: [{ top: 2 }]", "edits[0].action", "or decisions"],
    ["edits: [{ decisions: d.jsonl, action: swap, top: 2 }]", "edits[0].action", "none beside"],
    ["edits: [{ decisions: d.jsonl, top: 2 }]", "edits[0].top", "none beside decisions"],
    ["edits: [{ decisions: d.jsonl, method: probe }]", "edits[0].method", "follow no ranking"],
  ])("has the verb check %s", async (text, place, got) => {
    const error = await expectFailure(
      () => parseExperiment(`${LEAST}${text}\n`, "my.yaml"),
      ConfigError,
    );
    const line = error.message.split("\n").find((each) => each.includes(`${place} (line`));
    expect(line).toContain(got);
  });

  it("takes what one of several methods has a use for", () => {
    const text = `${LEAST}rank: { methods: [{ name: length }, { name: probe }], layer: 1 }\n`;
    expect(parseExperiment(text, "my.yaml").rank.layer).toBe(1);
  });

  it("has further verbs check their own section", async () => {
    const further = defineVerb({
      ...verbs.quality,
      name: "further",
      check: ({ tops }, given) => [
        ...need(tops?.length !== 2, ["tops"], "expected another top"),
        ...need(given.has("planted"), ["planted"], "expected planted pairs, got none"),
      ],
    });
    const schema = experimentSchemaOf([...VERBS, further]);
    const at = (section: object): unknown =>
      schema
        .safeParse({ ...parseExperiment(LEAST, "my.yaml"), further: section })
        .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    expect(at({ tops: ["1"], planted: "ids.jsonl" })).toBeUndefined();
    expect(at({ tops: ["1", "2"], planted: "ids.jsonl" })).toEqual([
      "further.tops: expected another top",
    ]);
    expect(at({ tops: ["1"] })).toEqual(["further.planted: expected planted pairs, got none"]);
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

it("has every bound of a number in the table of settings", () => {
  const table = settingsTable();
  for (const row of [
    "| `train.labelSmoothing` | number from 0 to below 0.5 |",
    "| `train.warmupRatio` | number from 0 to below 1 |",
    "| `scenarios.probeShare` | number above 0 and below 1 |",
    "| `probe.amplify` | number from -1000 to 1000 |",
    "| `train.epochs` | whole number from 1 |",
    "| `rank.show` | whole number from 0 to 10000 |",
  ]) {
    expect(table).toContain(row);
  }
});

// npm run regenerate makes both again.
it("has the JSON Schema for editors up to date", async () => {
  const text = await readFile(inRepository("examples/experiment.schema.json"), "utf8");
  expect(JSON.parse(text)).toEqual(experimentJsonSchema());
});

it("has the table of settings in the docs up to date", async () => {
  const text = await readFile(inRepository("docs/experiments.md"), "utf8");
  expect(text).toContain(`<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->`);
});
