/** Every attribution method against test/golden/methods, and what holds for all of them. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type {
  AttributionMethod,
  MethodTask,
  PairScores,
  Sources,
} from "../src/attribution/method.ts";
import { METHODS } from "../src/attribution/methods/index.ts";
import { random } from "../src/attribution/methods/random.ts";
import { storeRows } from "../src/attribution/pair-rows.ts";
import { scorePairs } from "../src/attribution/score-pairs.ts";
import type { ScoringModel } from "../src/attribution/scoring-model.ts";
import { openAnswerStore } from "../src/endpoint/answer-store.ts";
import { createAsker } from "../src/endpoint/asker.ts";
import { openChatEndpoint } from "../src/endpoint/chat-endpoint.ts";
import { openEmbeddingEndpoint } from "../src/endpoint/embedding-endpoint.ts";
import type { PaidAsking } from "../src/endpoint/paid-asking.ts";
import { ENGINES } from "../src/engine/engines.ts";
import {
  ALONG_RUN,
  type FeatureKind,
  featuresSchema,
  type SketchedFeatures,
} from "../src/engine/features.ts";
import { openLocalEngine } from "../src/engine/local-engine.ts";
import type { Message } from "../src/format/messages.ts";
import type { PreferencePair } from "../src/pairs/preference-pair.ts";
import { countCharacters } from "../src/pairs/text-measures.ts";
import { spearman } from "../src/stats/spearman.ts";
import { openStore } from "../src/store/open-store.ts";
import { readStoreTable } from "../src/store/read-shard.ts";
import { openStoreForWriting } from "../src/store/write-store.ts";
import { createRng } from "../src/util/rng.ts";
import { jsonSchemaOf } from "../src/verbs/json-schema.ts";
import { listSettings } from "../src/verbs/list-settings.ts";
import golden from "./golden/methods/methods.json" with { type: "json" };
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { SMALL_CHECKPOINT, smallManifest } from "./support/small-store.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const FOLDER = suiteFolder();
const ROWS = golden.pairs.length;
/** Scores are of single precision, projections as long as the vectors. */
const TOLERANCE = 2e-5;
const UNITS: Readonly<Record<string, number>> = {
  lls: 10,
  "implicit-reward": 10,
  "steered-likelihood": 10,
  "loss-diff": 10,
};

const turns = (texts: readonly string[]): Message[] =>
  texts.map((content, i) => ({ role: i % 2 === 0 ? "assistant" : "user", content }));

const PAIRS = golden.pairs.map(({ id, prompt, chosen, rejected }, row): PreferencePair => ({
  kind: "pair",
  id,
  row,
  file: "pairs.jsonl",
  fileRow: row,
  prompt: turns(prompt),
  chosen: turns(chosen),
  rejected: turns(rejected),
  columns: {},
}));

interface GoldenCase {
  readonly method: string;
  readonly settings: object;
  readonly scores: readonly number[];
  /** What of what the method uses is there. */
  readonly uses?: readonly string[];
}

/** What every method needs, of the golden pairs. */
let task: MethodTask & Sources;
/** The same address, for embeddings. */
let embeddings: PaidAsking;

const CHECKPOINT = fileURLToPath(new URL("../organisms/distractor/checkpoint", import.meta.url));
const FLOPS_PER_TOKEN = 1000;
const open: AsyncDisposable[] = [];
afterAll(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
});

async function openModel(folder: string): Promise<ScoringModel> {
  const options = { threads: 1 };
  const engine = await openLocalEngine(folder, options);
  open.push(engine);
  const origin = { host: ENGINES[0], folder, options };
  return { engine, flopsPerToken: FLOPS_PER_TOKEN, flopsToLayer: () => FLOPS_PER_TOKEN, origin };
}

/** Half a point for each character that the first response is longer than the second, and one for its place. */
const JUDGE = /---- first response \w+ ----\n(.*)\n---- second response \w+ ----\n(.*)\n---- end/s;
async function openServed(serves?: "embeddings"): Promise<PaidAsking> {
  const server = await startFakeEndpoint({
    embedding: letterCounts,
    answer: ({ messages }) => {
      const [, first = "", second = ""] = JUDGE.exec(messages.at(-1)!.content)!;
      const found = (countCharacters(first) - countCharacters(second)) / 2 + 1;
      return JSON.stringify({ reason: "r", score: Math.max(-10, Math.min(10, found)) });
    },
  });
  const settings = { baseUrl: server.url, model: "m" };
  const endpoint =
    serves === "embeddings" ? openEmbeddingEndpoint(settings) : openChatEndpoint(settings);
  const store = await openAnswerStore(join(FOLDER, `${serves ?? "chats"}.jsonl`));
  open.push(store, server);
  return { asker: createAsker(endpoint), store };
}

/** How often each letter of the English alphabet is in a text, and its length. */
function letterCounts(text: string): readonly number[] {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
  return [...letters.map((letter) => text.split(letter).length - 1), countCharacters(text)];
}

/** The golden's checkpoint after: another config beside the same weights. */
async function makeTrained(): Promise<string> {
  const folder = join(FOLDER, "trained");
  await cp(CHECKPOINT, folder, { recursive: true });
  const path = join(folder, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, ...golden.trained }));
  return folder;
}

beforeAll(async () => {
  const manifest = smallManifest({ dim: golden.dim, layers: [1], shardRows: 5 });
  await using writer = await openStoreForWriting(FOLDER, manifest);
  for (let shard = 0; shard * 5 < ROWS; shard++) {
    const here = PAIRS.slice(shard * 5, shard * 5 + 5);
    const vectors = golden.vectors.slice(shard * 5 * golden.dim, (shard * 5 + 5) * golden.dim);
    await writer.writeShard(shard, {
      ids: here.map(({ id }) => id),
      rows: here.map(({ row }) => row),
      columns: { source: here.map(() => "s") },
      tokens: new Int32Array(here.length * 3).fill(4),
      layers: new Map([[1, Float32Array.from(vectors)]]),
    });
  }
  await writer.complete({});
  embeddings = await openServed("embeddings");
  const store = await openStore(FOLDER);
  const rng = createRng(4);
  const nulls = Float32Array.from({ length: 6 * golden.dim }, () => rng.normal());
  const behavior = {
    name: "b",
    head: { doubts: {}, layerChoice: { kind: "none", reason: "not stable" } },
    identity: SMALL_CHECKPOINT,
    dim: golden.dim,
    layers: [1],
    directions: new Map([[1, Float32Array.from(golden.direction)]]),
    bank: new Map([[1, Float32Array.from(golden.bank)]]),
    scenarioIds: ["s0", "s1", "s2", "s3"],
    nullDirections: new Map([[1, nulls]]),
  } as const;
  task = {
    rows: storeRows(await readStoreTable(store)),
    store,
    behavior: { wanted: [behavior], unrelated: [] },
    // In another order than the store's, with one more pair and a row that is none.
    pairs: {
      async *read() {
        yield {
          kind: "unusable",
          row: 98,
          file: "x",
          fileRow: 98,
          reason: "empty-side",
          detail: "",
        };
        yield { ...PAIRS[0]!, id: "not stored", row: 99 };
        yield* PAIRS.toReversed();
      },
    },
    checkpoint: await openModel(CHECKPOINT),
    rollouts: {
      path: "rollouts.jsonl",
      async *read() {
        yield { prompt: turns(["A question of nobody"]), response: "no" };
        for (const { pair, response } of golden.rollouts) {
          yield { prompt: PAIRS[pair]!.prompt, response };
        }
      },
    },
    trained: await openModel(await makeTrained()),
    endpoint: await openServed(),
    responses: {
      pairs: golden.responses.map((text, i) => ({
        id: `r${i}`,
        scenario: `r${i}`,
        prompt: turns(["?"]),
        before: turns([golden.before[i]!]),
        after: turns([text]),
      })),
    },
  };
});

/** The same vectors as those of the method's features: what it makes of them does not depend on what they are. */
function withFeatures(given: MethodTask & Sources, method: AttributionMethod): Sources {
  const { features: kind = "states", behaviorFeatures = kind } = method;
  if (kind === "states") return given;
  const { store, behavior } = given;
  const head = { features: featuresOf(behaviorFeatures) };
  return {
    ...given,
    store: { ...store, manifest: { ...store.manifest, features: featuresOf(kind) } },
    behavior: {
      ...behavior,
      wanted: behavior.wanted.map((each) => ({ ...each, head: { ...each.head, ...head } })),
    },
  };
}

function featuresOf(kind: FeatureKind): SketchedFeatures {
  return featuresSchema.parse({
    kind,
    dims: 64,
    projection: "rademacher",
    seed: 0,
    ...(kind === "influence" ? {} : { parameters: null }),
    ...(kind === "concept" ? { layer: 1, direction: "d" } : {}),
    ...(ALONG_RUN.has(kind) ? { run: { hash: "run", steps: [1], rates: [0.5] } } : {}),
  });
}

/** A behaviour of the golden's checkpoint, for methods that hold its own states to one. */
function withOwnBehavior(given: MethodTask & Sources, { needs }: AttributionMethod): Sources {
  if (!needs.includes("checkpoint")) return given;
  const { layer, direction } = golden.model;
  const [wanted] = given.behavior.wanted;
  const own = {
    ...wanted!,
    identity: given.checkpoint.engine.identity,
    dim: direction.length,
    layers: [layer],
    // As of a probe whose direction has another length: steering takes that of the mean difference.
    directions: new Map([[layer, Float32Array.from(direction, (each) => 3 * each)]]),
    lengths: new Map([[layer, Math.hypot(...direction)]]),
  };
  return { ...given, behavior: { wanted: [own], unrelated: [] } };
}

/** With nothing but what the method says that it needs, and of what it uses the part that is named. */
function score(
  method: AttributionMethod,
  settings: object,
  uses: readonly string[] = [],
): Promise<readonly PairScores[]> {
  const read = withOwnBehavior({ ...task, ...withFeatures(task, method) }, method);
  const given = [...method.needs, ...(method.uses ?? []).filter((each) => uses.includes(each))];
  const endpoint = method.serves === "embeddings" ? embeddings : read.endpoint;
  if (method.oneOf !== undefined && uses.length === 0) given.push(method.oneOf.at(-1)!);
  const needed = Object.fromEntries(given.map((need) => [need, { ...read, endpoint }[need]]));
  return scorePairs(method, { rows: task.rows, ...needed }, method.settings.parse(settings));
}

describe.each(METHODS.map((method) => [method.name, method] as const))("%s", (name, method) => {
  const own = golden.cases.filter((each) => each.method === name);
  // Methods of other features without a case make the same of a store's vectors as the probe.
  const cases: readonly GoldenCase[] =
    own.length > 0 ? own : golden.cases.filter((each) => each.method === "probe");

  it("has golden scores, for each value of its choices", () => {
    expect(cases.length).toBeGreaterThan(0);
    for (const { path, schema } of listSettings(jsonSchemaOf(method.settings))) {
      if (schema.enum === undefined) continue;
      const seen = cases.map(({ settings }) => (settings as Record<string, unknown>)[path[0]!]);
      expect(seen).toEqual(expect.arrayContaining([...schema.enum]));
    }
  });

  it("gives scores that we did not make", async () => {
    for (const { settings, uses, scores: wanted } of cases) {
      const [found] = await score(method, settings, uses);
      // Log-probabilities are sums of a hundred numbers of single precision, CHES products of such sums.
      const unit = name === "ches" ? Math.max(...wanted.map(Math.abs)) : (UNITS[name] ?? 1);
      const worst = Math.max(
        ...wanted.map(
          (each, row) => Math.abs(each - found!.scores[row]!) / unit / Math.max(1, Math.abs(each)),
        ),
      );
      expect(worst).toBeLessThan(TOLERANCE);
    }
  });

  it("keeps what its traits promise, and says what it took", async () => {
    const unbounded: number[] = [];
    for (const { settings, uses } of cases) {
      const [found] = await score(method, settings, uses);
      const { traits, name: used, formula } = found!.method;
      expect([used, found!.ids]).toEqual([name, golden.pairs.map(({ id }) => id)]);
      expect(formula).not.toBe("");
      expect(found!.layer !== undefined).toBe(traits.hasLayer);
      expect(found!.null !== undefined).toBe(traits.null !== "none");
      expect(traits.hasVerdict && traits.null === "none").toBe(false);
      const largest = Math.max(...found!.scores.map(Math.abs));
      unbounded.push(traits.isBounded ? Infinity : largest);
      expect(traits.isBounded && largest > 1).toBe(false);
      const { seconds, bytes, flops, money, tokens } = found!.cost;
      expect(seconds).toBeGreaterThan(0);
      const isAsking = [...method.needs, ...(uses ?? [])].includes("checkpoint");
      expect([money, tokens > 0]).toEqual([0, isAsking]);
      // What training takes is counted as training counts it.
      const isForward = isAsking && name !== "loss-diff";
      expect(isForward && flops !== tokens * FLOPS_PER_TOKEN).toBe(false);
      const isReading = method.needs.includes("store");
      expect([bytes > 0, flops > 0]).toEqual([
        isReading,
        isAsking || (isReading && name !== "norm"),
      ]);
    }
    // Differences of cosines may leave the range, and seldom do.
    expect(Math.max(...unbounded)).toBeGreaterThan(name === "embedding" ? 0.1 : 1);
  });

  it("names what it needs and did not get", async () => {
    for (const need of method.needs) {
      const given = { ...task, [need]: undefined };
      const settings = method.settings.parse(cases[0]!.settings);
      await expect(scorePairs(method, given, settings)).rejects.toThrow(
        `${need}: expected one, which the method ${name} needs, got none`,
      );
    }
  });

  it("has a range or a choice, and a sentence, for each setting", () => {
    for (const { schema } of listSettings(jsonSchemaOf(method.settings))) {
      expect(schema.description).toMatch(/^.{10,}\.$/);
      const isText = schema.type === "string";
      expect(schema.enum !== undefined || schema.minimum !== undefined || isText).toBe(true);
    }
  });
});

it("refuses a store that is too wide to whiten, before it reads it", async () => {
  const whitened = METHODS.find(({ name }) => name === "whitened")!;
  const manifest = { ...task.store.manifest, dim: 8192 };
  const store = { ...task.store, manifest };
  await expect(scorePairs(whitened, { ...task, store }, { ridge: 0.1 })).rejects.toThrow(
    /expected vectors of 4096 dimensions at most .* got 8192/,
  );
});

it("refuses to score by a description that nobody gave", async () => {
  const lls = METHODS.find(({ name }) => name === "lls")!;
  await expect(scorePairs(lls, task, lls.settings.parse({}))).rejects.toThrow(
    "description: expected a sentence that describes the behaviour, which the method lls needs, got none",
  );
});

it("scores the pairs that fit the context, and leaves the others without a score", async () => {
  const reward = METHODS.find(({ name }) => name === "implicit-reward")!;
  const pairs = {
    async *read(): AsyncGenerator<PreferencePair> {
      yield { ...PAIRS[0]!, prompt: turns(["word ".repeat(400)]) };
      yield* PAIRS.slice(1);
    },
  };
  const [found] = await scorePairs(reward, { ...task, pairs }, { beta: 0.1 });
  expect([...found!.scores.keys()].filter((row) => Number.isNaN(found!.scores[row]))).toEqual([0]);
});

it("counts every vector that the probe reads, and two operations for each of its products", async () => {
  const probe = METHODS.find(({ name }) => name === "probe")!;
  const values = ROWS * golden.dim;
  const [one] = await score(probe, {});
  // The behaviour's direction and its six null directions.
  expect(one!.cost).toMatchObject({ bytes: 2 * values, flops: 2 * values * 7 });
  const [centred] = await score(probe, { scorer: "centred-cosine", nullDirections: 0 });
  expect(centred!.cost).toMatchObject({ bytes: 2 * 2 * values, flops: 2 * values });
});

describe("random scores", () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `pair-${i}`);
  const rows = {
    ids,
    rows: Int32Array.from(ids.keys()),
    lengths: new Int32Array(3 * ids.length),
    columns: {},
  };
  const draw = async (seed: number): Promise<Float32Array> =>
    (await scorePairs(random, { rows }, { seed }))[0]!.scores;

  it("are spread evenly, by a chi-square test over 100 bins", async () => {
    const counts = new Uint32Array(100);
    for (const each of await draw(1)) counts[Math.floor(each * 100)]!++;
    const expected = ids.length / 100;
    const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 0.1% quantiles of 99 degrees of freedom, both sides.
    expect(statistic).toBeGreaterThan(60);
    expect(statistic).toBeLessThan(149);
  });

  it("have nothing to do with the row, nor with those of another seed", async () => {
    const [one, other] = [await draw(1), await draw(2)];
    for (const against of [Float32Array.from(ids.keys()), other]) {
      const { low, high } = spearman(one, against)!;
      expect(Math.max(low, -high)).toBeLessThan(0.01);
    }
  });

  it("are a pair's own, whatever other pairs there are", async () => {
    const some = { ...rows, ids: ids.slice(50, 60) };
    const [found] = await scorePairs(random, { rows: some }, { seed: 1 });
    expect(found!.scores).toEqual((await draw(1)).slice(50, 60));
  });
});

it("refuses pairs without the text of some row", async () => {
  const length = METHODS.find(({ name }) => name === "length")!;
  const pairs = {
    async *read(): AsyncGenerator<PreferencePair> {
      yield* PAIRS.slice(1);
    },
  };
  await expect(scorePairs(length, { ...task, pairs }, { unit: "words" })).rejects.toThrow(
    "pairs: expected the text of 12 pairs, got that of 11",
  );
});
