/** Every JSON file that a step writes and another reads: read back as it was written, and an error that names it where it was not. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { BEHAVIOR_REPORT } from "../src/behavior/behavior-file.ts";
import type { LayerDiagnostics } from "../src/behavior/diagnostics.ts";
import { NULL_CONVENTIONS } from "../src/behavior/probe-kind.ts";
import { type Discovery, DISCOVERY } from "../src/discovery/discovery-file.ts";
import { EDIT_MANIFEST } from "../src/edit/edit-manifest.ts";
import { type Edit, EDIT } from "../src/edit/edit.ts";
import { NO_COST } from "../src/engine/cost.ts";
import { type Forecast, FORECAST } from "../src/forecast/forecast-file.ts";
import { type MeasuredShift, type Shifts, SHIFTS } from "../src/forecast/shifts-file.ts";
import type { Verdict } from "../src/judge/verdict.ts";
import { AUDIT } from "../src/pairs/audit-report.ts";
import { QUALITY } from "../src/ranking/ranking-quality.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import { conditionRates, CONDITIONS } from "../src/rates/condition-rates.ts";
import { evaluateArms } from "../src/rates/evaluate-arms.ts";
import { EVALUATION } from "../src/rates/evaluation.ts";
import { filterScenarios } from "../src/rates/four-condition-filter.ts";
import { AGREEMENT, judgeBesidePeople } from "../src/rates/judge-beside-people.ts";
import { CAPABILITY_MEASURES } from "../src/rates/measure-capabilities.ts";
import { ROLLOUT_MANIFEST, type RolloutManifest } from "../src/rollouts/rollout-manifest.ts";
import { RESULT } from "../src/runs/result.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { RECORD, WORKING } from "../src/runs/stage-record.ts";
import { clusteredRate } from "../src/stats/clustered-rate.ts";
import { wilsonShare } from "../src/stats/wilson.ts";
import { ARM_COHERENCE } from "../src/steering/coherence.ts";
import { LAYER_TABLE, layerTable } from "../src/steering/layer-table.ts";
import { STEERING, type SteeringReport } from "../src/steering/steering-report.ts";
import {
  LAYER_CONVENTION,
  STORE_COMPLETION,
  STORE_MANIFEST,
} from "../src/store/vector-store-manifest.ts";
import { TRAIN_MANIFEST } from "../src/training/run-folder.ts";
import type { JsonArtifact } from "../src/util/artifact.ts";
import { FormatError } from "../src/util/errors.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();

interface Case {
  readonly name: string;
  readonly write: (path: string) => Promise<void>;
  readonly read: (path: string) => Promise<unknown>;
  readonly value: unknown;
}

const example = <T>(artifact: JsonArtifact<T>, value: T): Case => ({
  name: artifact.name,
  write: (path) => artifact.write(path, value),
  read: (path) => artifact.read(path),
  value,
});

const CHECKPOINT = {
  name: "./sft",
  checkpointHash: "c",
  tokenizerHash: "t",
  templateHash: "h",
  family: "llama",
} as const;
const SOFTWARE = { name: "culprit", version: "0.1.0" } as const;
const FILE = { path: "pairs.jsonl", sha256: "p", sizeBytes: 12 };

const LENGTHS = {
  unit: "words",
  pairs: 1,
  chosen: { mean: 2, median: 2, p90: 2 },
  rejected: { mean: 1, median: 1, p90: 1 },
  longerChosen: wilsonShare(1, 1),
  ties: 0,
} as const;

const LAYER: LayerDiagnostics = {
  layer: 2,
  norm: 1.5,
  relativeNorm: 0.1,
  splitHalf: { kind: "measured", mean: 0.8, low: 0.7, high: 0.9, draws: 20, reliability: 0.9 },
  bootstrap: { kind: "not-computed", reason: "too few prompts" },
  normNull: { kind: "measured", p: 0.01, smallestP: 0.01, median: 1, high: 1.2, flips: 100 },
  separation: { kind: "measured", ratio: 1.25 },
  heldOut: { kind: "measured", auroc: 0.9, low: 0.8, high: 1, folds: 5 },
  leaveOneOut: { kind: "measured", mean: 0.5, sharePositive: 1, pairs: 8 },
  nullDirections: { kind: "measured", count: 4 },
  isStable: true,
};

/** Two scenarios, in each as many rollouts: `s` shows, `n` does not, `?` has no verdict. */
const verdictsOf = (variant: string, letters: string): Verdict[] =>
  ["0", "1"].flatMap((scenario) =>
    Array.from(letters, (letter, sample): Verdict => {
      const place = { rollout: `${scenario}/${variant}/${sample}`, scenario, variant, sample };
      if (letter === "?") return { ...place, missing: "empty answer" };
      return { ...place, label: letter === "s" ? "shows" : "not" };
    }),
  );

const JUDGED = {
  before: [...verdictsOf("base", "nn"), ...verdictsOf("base+distractor", "n?")],
  after: [...verdictsOf("base", "nn"), ...verdictsOf("base+distractor", "sn")],
};

const SAMPLING: RolloutManifest["sampling"] = {
  samples: 2,
  maxTokens: 8,
  temperature: 1,
  topK: null,
  topP: 1,
  seed: 0,
  stopTokens: [0],
  batch: 8,
};

const ARM = {
  name: "unsteered",
  coherence: { logprob: undefined, tokens: 0, unscored: 2 },
  rates: [
    {
      variant: "base",
      rate: clusteredRate({
        seeds: 1,
        prompts: 2,
        shows: Float64Array.of(0, 1),
        judged: Float64Array.of(2, 2),
      }),
      missing: 1,
      causes: { "empty answer": 1 },
    },
  ],
};

const STEERED: SteeringReport = {
  format: "culprit-steering",
  version: 1,
  mode: "add",
  checkpoint: { name: "./sft", checkpointHash: "c" },
  judge: "rules@1",
  behavior: "flatters",
  prompts: 2,
  scenarios: 2,
  requests: 2,
  shared: undefined,
  sampling: SAMPLING,
  coherenceBound: 1,
  unsteered: ARM,
  layers: [
    {
      layer: 2,
      at: [2],
      length: 1.5,
      grid: [{ ...ARM, strength: 1, drop: undefined, isCoherent: false }],
      reason: "no strength leaves the text coherent",
      steered: undefined,
      random: undefined,
      effects: [],
    },
  ],
  notes: [],
};

const EDITED: Edit = {
  action: "filter",
  pick: "chosen",
  ids: ["p-1"],
  top: 1,
  groups: [{ group: "east", pairs: 3, edited: 1 }],
  unranked: 0,
  warnings: [],
};

const TREE = { left: [0], right: [1], height: [0.5], size: [2], leafOrder: [0, 1] } as const;

const FOUND: Discovery = {
  format: "culprit-discovery",
  version: 1,
  checkpoint: { ...CHECKPOINT, layerCount: 4 },
  layers: [2],
  layerConvention: LAYER_CONVENTION,
  linkage: "ward",
  seed: 0,
  counts: {
    prompts: 2,
    leftOut: 0,
    unusable: 0,
    unchanged: 1,
    truncated: 0,
    pairs: 2,
    lowNorm: 0,
    tested: 2,
    variation: 2,
  },
  by: "source",
  leanShare: 0.02,
  alpha: 0.01,
  rows: {
    ids: ["a/base", "b/base"],
    clusters: [0, 0],
    tree: { ...TREE, clusters: 1, tried: [{ clusters: 2, silhouette: 0.1 }] },
  },
  columns: {
    ids: ["p-0", "p-1"],
    clusters: [0, 0],
    tree: { ...TREE, clusters: 1, tried: [] },
    assigned: [{ pairs: 2, sources: { east: 2 } }],
  },
  matrix: [
    [120, -5],
    [0, 999],
  ],
  clusters: [
    {
      cluster: 0,
      name: "winter",
      namedBy: "terms",
      prompts: 2,
      groups: 2,
      coherence: 0.9,
      test: {
        kind: "concentrated",
        tried: [{ share: 0.02, lean: 0.4, p: 0.01 }],
        lean: 0.4,
        p: 0.02,
        holm: 0.02,
        null95: 0.3,
        halves: [0.4, 0.3],
        agree: true,
      },
      tags: { third: 1 },
      terms: { more: ["winter"], less: [] },
      typical: [{ id: "a/base", prompt: "p", before: "b", after: "winter" }],
      effects: [{ source: "east", pairs: 2, effect: 0.1, low: 0, high: 0.2 }],
      topPairs: [{ id: "p-1", cosine: 0.999, source: "east" }],
    },
  ],
};

const SHIFT: MeasuredShift = {
  before: 1,
  after: 3,
  shift: 2,
  low: 1.5,
  high: 2.5,
  items: 8,
  groups: 7,
};
const TRAINED = { name: "dpo", checkpointHash: "m1" } as const;

const SHIFTED: Shifts = {
  format: "culprit-shifts",
  version: 1,
  checkpoint: { ...CHECKPOINT, layerCount: 4 },
  trained: TRAINED,
  training: { startHash: "c", files: ["f"], rows: 3 },
  layer: 2,
  behaviors: [
    {
      name: "refuses",
      margin: SHIFT,
      "per-token": SHIFT,
      projection: SHIFT,
      tokens: -1.5,
      unusable: 1,
    },
  ],
};

const QUALITY_OF_FORECAST = {
  r2: { value: 0.8, low: 0.5, high: 0.9 },
  signs: { count: 1, of: 1, share: 1, low: 0.2, high: 1 },
  slope: { value: 1 },
  intercept: { value: 0 },
};
const MODEL = { name: "combination", inputs: ["states.cosine"], weights: [3], reach: 0.4 } as const;
const CALIBRATION = {
  measure: "margin",
  lambda: 1,
  behaviors: ["refuses"],
  pairsHash: "p",
  models: [MODEL],
} as const;

const FORECAST_MADE: Forecast = {
  format: "culprit-forecast",
  version: 1,
  checkpoint: { ...CHECKPOINT, layerCount: 4 },
  layerConvention: LAYER_CONVENTION,
  seed: 0,
  pairs: {
    count: 2,
    contentHash: "p",
    shape: "trl-standard",
    unusable: 1,
    clusters: 2,
    clusteredBy: "prompt",
  },
  stores: [{ features: "states", layer: 2 }],
  predictors: ["states.cosine"],
  behaviors: [
    {
      name: "refuses",
      doubts: ["states at layer 2: not stable"],
      values: { "states.cosine": { value: 0.1, low: 0, high: 0.2 } },
      nulls: { states: { directions: 64, p: 0.02, null95: 0.05 } },
      forecast: { value: 0.3, low: -0.1, high: 0.7 },
    },
  ],
  topicColumn: "source",
  topicsLeftOut: 0,
  cells: [
    {
      topic: "east",
      behavior: "refuses",
      pairs: 2,
      difference: 0.1,
      d: 0.2,
      z: 1.5,
      halves: [0.1, 0.1],
      agree: true,
    },
  ],
  calibration: CALIBRATION,
  score: {
    measure: "margin",
    trained: TRAINED,
    samePairs: "yes",
    holdout: "given",
    heldOut: 1,
    unobserved: [],
    unforecast: ["warns"],
    missing: { length: "not measured" },
    forecasts: [
      {
        name: "combination",
        kind: "combination",
        ...QUALITY_OF_FORECAST,
        movedSigns: QUALITY_OF_FORECAST.signs,
        covered: QUALITY_OF_FORECAST.signs,
      },
    ],
    advantages: [{ over: "no-change", value: 0.8, low: 0.5, high: 0.9 }],
    behaviors: [
      {
        name: "refuses",
        observed: SHIFT,
        moved: true,
        predicted: { combination: { value: 0.3, low: -0.1, high: 0.7 } },
        hit: true,
      },
    ],
    calibration: CALIBRATION,
  },
};

const CASES: readonly Case[] = [
  example(SHIFTS, SHIFTED),
  example(FORECAST, FORECAST_MADE),
  example(AUDIT, {
    culpritVersion: "0.1.0",
    files: [FILE],
    shape: "trl-standard",
    shapeReason: "its columns",
    columns: ["source"],
    contentHash: "p",
    rows: 2,
    usable: 1,
    unusable: { count: 1, byReason: { "empty-side": 1 } },
    unusableExamples: [
      {
        kind: "unusable",
        row: 1,
        file: FILE.path,
        fileRow: 1,
        reason: "empty-side",
        detail: "chosen",
      },
    ],
    lengths: [LENGTHS],
    sources: [{ source: null, pairs: 1, share: 1, lengths: LENGTHS, nearIdentical: 0 }],
    generators: [{ generator: "a", chosen: 1, rejected: 0, share: 1, wins: wilsonShare(0, 0) }],
    duplicates: {
      repeatedPairs: 0,
      repeatedIds: 0,
      sharedPromptRows: 0,
      sharedPrompts: 0,
      contradictions: 0,
      contradictoryRows: 0,
      contradictionExamples: [[0, 1]],
    },
    nearIdentical: { threshold: 0.9, pairs: 0, examples: [] },
    unrenderable: 0,
    refusals: [],
    turns: {
      promptTurns: [{ turns: 1, pairs: 1 }],
      withSystem: wilsonShare(0, 1),
      longResponses: 0,
    },
    beside: { said: [{ name: "tools", pairs: 1 }], labels: [], columnsNotRead: ["x"] },
    scores: [{ chosen: "score_chosen", rejected: "score_rejected", pairs: 1, ties: 0, lower: 1 }],
    scripts: [{ script: "Latin", pairs: 1 }],
    warnings: [],
  }),
  example(BEHAVIOR_REPORT, {
    format: "culprit-behavior",
    version: 2,
    name: "flatters",
    checkpoint: { ...CHECKPOINT, layerCount: 3 },
    dim: 4,
    layers: [2],
    layerConvention: LAYER_CONVENTION,
    sign: "after minus before, both read on the checkpoint named here",
    pooling: "mean-response-tokens",
    probe: "lda",
    nulls: NULL_CONVENTIONS.lda,
    weighting: "rollout",
    seed: 0,
    maxTokens: 64,
    orthogonalTo: [],
    layerChoice: { kind: "chosen", layer: 2, reason: "the only one" },
    doubts: {},
    scenarioIds: ["a"],
    counts: { pairs: 1, prompts: 1, unusable: 1, truncated: 0 },
    pairFiles: [FILE],
    software: SOFTWARE,
    diagnostics: [LAYER],
    unusable: [{ id: "a", reason: "empty-side", detail: "after" }],
  }),
  example(CONDITIONS, { ...conditionRates(JUDGED), ...filterScenarios(JUDGED) }),
  example(AGREEMENT, judgeBesidePeople(JUDGED.after, new Map([["0/base/0", { label: "not" }]]))),
  example(CAPABILITY_MEASURES, { answers: { "a-1": -1.5 } }),
  example(
    EVALUATION,
    evaluateArms(
      [
        {
          name: "before",
          runs: [{ seed: "1", verdicts: JUDGED.before, measures: { tasks: 0.5 } }],
        },
        { name: "after", runs: [{ seed: "1", verdicts: JUDGED.after }] },
      ],
      { baseline: "before", replicates: 10 },
    ),
  ),
  example(QUALITY, []),
  example(EDIT_MANIFEST, {
    ...EDITED,
    format: "culprit-edit",
    formatVersion: 1,
    software: "culprit 0.1.0",
    shape: "trl-standard",
    contentHash: "p",
    files: [],
    rows: { pairs: 3, edited: 1, left: 2, unusable: 0, idsWritten: 0 },
    sideColumns: [{ chosen: "chosen_model", rejected: "rejected_model" }],
    ids: { file: "edited.ids.jsonl", sha256: "i" },
  }),
  example(RANK_REPORT, { cost: { tokens: 0, flops: 0, bytes: 12 }, rankings: [] }),
  example(EDIT, EDITED),
  example(DISCOVERY, FOUND),
  example(STEERING, STEERED),
  example(LAYER_TABLE, layerTable([LAYER], STEERED)),
  example(ARM_COHERENCE, { rollouts: "r", coherence: ARM.coherence }),
  example(ROLLOUT_MANIFEST, {
    kind: "rollouts",
    version: "0.1.0",
    checkpoint: "./sft",
    checkpointHash: "c",
    tokenizerHash: "t",
    templateHash: "h",
    promptsHash: "p",
    prompts: 2,
    sampling: SAMPLING,
    steering: null,
    amplify: { beforeHash: "b", alpha: 1.5 },
  }),
  example(ROLLOUT_MANIFEST, {
    kind: "endpoint-rollouts",
    baseUrl: "http://localhost/v1",
    model: "m",
    promptsHash: "p",
    prompts: 1,
    sampling: { samples: 2, maxTokens: 8, temperature: 1, topP: null, seed: 0 },
    version: "0.1.0",
    rollouts: 1,
    estimated: 0,
    failed: { "status 500": 1 },
    absent: [
      { rollout: "a/base/1", scenario: "a", variant: "base", sample: 1, missing: "not sampled" },
    ],
  }),
  example(STORE_MANIFEST, {
    format: "culprit-vectors",
    version: 1,
    checkpoint: { ...CHECKPOINT, layerCount: 3 },
    template: "raw",
    layers: [1, 2],
    layerConvention: LAYER_CONVENTION,
    dim: 4,
    dtype: "F16",
    pooling: "mean-response-tokens",
    sign: "chosen minus rejected",
    maxTokens: null,
    shardRows: 10,
    pairs: { contentHash: "p", files: [FILE.path], shape: "trl-standard", columns: [] },
    software: SOFTWARE,
  }),
  example(STORE_COMPLETION, {
    format: "culprit-vectors-complete",
    rows: 1,
    shards: 1,
    unusable: { "empty-side": 1 },
  }),
  example(TRAIN_MANIFEST, {
    format: "culprit-training",
    version: 1,
    method: { kind: "dpo", beta: 0.1, lengthNormalized: false, labelSmoothing: 0 },
    settings: {
      adaptation: { kind: "lora", rank: 4, alpha: 8, targets: null },
      learningRate: 1e-3,
      schedule: "linear",
      warmup: { ratio: 0.1 },
      epochs: 1,
      maxSteps: null,
      batchSize: 16,
      maxTokens: 64,
      weightDecay: 0,
      maxGradNorm: 1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      seed: 1,
      shuffle: true,
    },
    dtype: "F32",
    start: { ...CHECKPOINT, trainedNumbers: 100 },
    data: { hash: "d", examples: 2, truncated: 0, unusable: 0, files: [] },
    execution: { device: null, threads: null, batchTokens: null },
    software: SOFTWARE,
    result: null,
  }),
  example(RECORD, {
    format: "culprit-stage",
    kind: "rank",
    name: "",
    version: 1,
    key: "k",
    settings: { layer: "auto" },
    inputs: {},
    outputHash: "o",
    files: [{ path: "ranking.json", sha256: "r", sizeBytes: 2 }],
    cost: { ...NO_COST, endpoint: { requests: 1, promptTokens: 3, completionTokens: 1 } },
    finishedAt: "2026-01-01T00:00:00.000Z",
    culpritVersion: "0.1.0",
  }),
  example(WORKING, { pid: 1, host: "here", cost: NO_COST, updatedAt: "2026-01-01T00:00:00.000Z" }),
  example(RUN, {
    format: "culprit-run",
    name: "small",
    experimentFile: "small.yaml",
    experimentSha256: "e",
    experiment: { name: "small", cost: { currency: "EUR" } },
    inputs: {},
    software: {},
    machine: { cpu: "unknown", cores: 1 },
    startedAt: "2026-01-01T00:00:00.000Z",
    stages: [{ id: "rank", kind: "rank", name: "" }],
    total: { ...NO_COST, money: 0.5 },
  }),
  example(RESULT, {
    format: "culprit-result",
    version: 1,
    name: "small",
    behavior: "flatters",
    pairs: 3,
    probe: { layer: 2, layerReason: "named", responsePairs: 3, prompts: 2 },
    methods: [
      {
        name: "length",
        formula: "words",
        pairs: 3,
        stage: "rank",
        cost: { tokens: 0, flops: 0, bytes: 12 },
      },
    ],
    steering: [STEERED],
    seeds: [1],
    edits: [],
    conclusions: ["Nothing is known."],
  }),
];

/** The request of a steering takes any member: all of them are compared. */
const OPEN = ["request.json"];

test("every JSON file that is written has a case here", () => {
  const src = join(import.meta.dirname, "../src");
  const written = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => [
      ...readFileSync(join(src, file), "utf8").matchAll(/= jsonArtifact\(\s*"([^"]+)"/g),
    ])
    .map(([, name]) => name);
  expect(new Set([...CASES.map(({ name }) => name), ...OPEN])).toEqual(new Set(written));
});

const EACH = CASES.map((each) => [each.name, each] as const);

test.each(EACH)("%s is read back as it was written", async (name, { read, write, value }) => {
  const path = join(folder, name);
  await write(path);
  expect(await read(path)).toEqual(value);
});

test.each(EACH)(
  "%s that was cut or changed is an error that names the file",
  async (name, { read, write }) => {
    const path = join(folder, name);
    await write(path);
    const text = await readFile(path, "utf8");
    const value = JSON.parse(text) as Record<string, unknown>;
    const first = Array.isArray(value) ? undefined : Object.keys(value)[0];
    const damaged = [
      text.slice(0, -4),
      "",
      "[7]",
      ...(first === undefined ? [] : [{ [first]: { other: [] } }, { another: 1 }]).map((change) =>
        JSON.stringify({ ...value, ...change }),
      ),
    ];
    for (const content of damaged) {
      await writeFile(path, content);
      const error: unknown = await read(path).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toContain(path);
    }
  },
);
