import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import { makeTinyCheckpoint } from "../../test/support/tiny-checkpoint.ts";
import type { StoredBehavior } from "../behavior/behavior-file.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/local-host.ts";
import { createRulesJudge } from "../judge/rules-judge.ts";
import { openWeights } from "../model/checkpoint-weights.ts";
import type { RolloutManifest } from "../rollouts/rollout-manifest.ts";
import { hashBytes } from "../util/hash.ts";
import { norm } from "../util/vector.ts";
import { behaviorDirections } from "./behavior-directions.ts";
import { describeSteering } from "./describe-steering.ts";
import { steer } from "./steer.ts";
import { claimSteeringFolder, expectSteeringFolder, STEERING_REQUEST } from "./steering-folder.ts";
import type { SteeringDirection, SteeringReport, SteerRequest } from "./steering-report.ts";
import { randomDirection, unnamedLayers } from "./steering-target.ts";

const folder = suiteFolder();
const prompts = ["Why?", "Tell me of rain.", "Count to three.", "Say it again."].map(
  (content, i) => ({
    scenario: `s${i}`,
    variant: "base",
    prompt: [{ role: "user" as const, content }],
  }),
);
/** What a token's row of the output matrix points at, seen from before the final norm. */
const rows = new Map<string, Float32Array>();
const WORDS = [" the", " and"] as const;
let engine: Engine;

beforeAll(async () => {
  const dir = await makeTinyCheckpoint(join(folder, "tiny"));
  engine = await openEngine(dir);
  await using weights = await openWeights(dir);
  const [head, gain] = [
    await weights.readFloat32("lm_head.weight"),
    await weights.readFloat32("model.norm.weight"),
  ];
  for (const word of WORDS) {
    const [id] = engine.tokenizeText(word);
    rows.set(
      word,
      Float32Array.from(gain, (g, d) => head[id! * gain.length + d]! / g),
    );
  }
});
afterAll(() => engine[Symbol.asyncDispose]());

const says = (pattern: string, otherwise: "not" | "missing" = "not"): SteerRequest["judge"] =>
  createRulesJudge({
    name: "says",
    behavior: "says it",
    rules: [{ pattern, label: "shows" }],
    otherwise,
  });

async function run(
  out: string,
  directions: readonly SteeringDirection[],
  request: Partial<SteerRequest> = {},
): Promise<SteeringReport> {
  const judge = says("^(the ?)+$");
  const { report } = await steer(
    engine,
    { mode: "add", directions, prompts, judge, randomDirections: 2, ...request },
    { out: join(folder, out), samples: 2, maxTokens: 4, temperature: 0 },
  );
  return report;
}

describe("steer", () => {
  it("adds at each layer the direction of that layer, from the first token on", async () => {
    const directions = WORDS.map((word, i) => ({ layer: 3 - i, vector: rows.get(word)! }));
    const report = await run("layers", directions, { strength: 1e4, coherenceBound: 1e3 });
    expect(report.layers.map(({ steered }) => steered!.rates[0]!.rate.rate)).toEqual([1, 0]);
    for (const { layer, vector } of directions) {
      const path = join(folder, `layers/arms/layer-${layer}-strength-10000/rollouts.jsonl.json`);
      const { steering } = JSON.parse(readFileSync(path, "utf8")) as RolloutManifest;
      expect(steering).toEqual({
        kind: "add",
        strength: 1e4,
        directions: [{ layer, hash: hashBytes(new Uint8Array(vector.buffer)) }],
      });
    }
    // Four prompts can show anything, but prove nothing.
    expect(report.layers[0]!.effects[0]).toMatchObject({
      steeredToUnsteered: { difference: 1 },
      verdict: "no-evidence",
    });
  });

  it("says nothing of the behaviour where a strength that was given leaves noise", async () => {
    const directions = [{ layer: 3, vector: rows.get(" the")! }];
    const report = await run("noise", directions, { strength: 1e4, coherenceBound: 0.1 });
    expect(report.layers[0]!.effects[0]).toMatchObject({
      steeredToUnsteered: { difference: 1 },
      verdict: "incoherent",
    });
    expect(report.layers[0]!.reason).toMatch(/^strength 10000, as asked: .*; the text is not/);
    expect(report.notes.join()).toMatch(/layer-3-strength-10000: the text is not coherent/);
  });

  it.each([
    ["together", undefined, [[1, 3]], ["together"]],
    ["own", "own", [[1], [3]], ["layer-1", "layer-3"]],
    [
      "all",
      "all",
      [
        [0, 1, 2, 3],
        [0, 1, 2, 3],
      ],
      ["layer-1", "layer-3"],
    ],
    [
      "listed",
      [2, 0],
      [
        [2, 0],
        [2, 0],
      ],
      ["layer-1", "layer-3"],
    ],
  ] as const)(
    "projects the directions of two layers out: %s",
    async (name, projectOutAt, at, folders) => {
      const directions = WORDS.map((word, i) => ({ layer: 1 + 2 * i, vector: rows.get(word)! }));
      const report = await run(`out-${name}`, directions, {
        mode: "project-out",
        coherenceBound: 1e3,
        ...(projectOutAt === undefined ? {} : { projectOutAt }),
      });
      expect(report.layers.map((each) => each.at)).toEqual(at);
      const hash = (vector: Float32Array): string => hashBytes(new Uint8Array(vector.buffer));
      for (const [i, each] of folders.entries()) {
        const made = (arm: string): RolloutManifest["steering"] => {
          const path = join(
            folder,
            `out-${name}/arms/${each}${arm}-project-out/rollouts.jsonl.json`,
          );
          return (JSON.parse(readFileSync(path, "utf8")) as RolloutManifest).steering;
        };
        const own = name === "together" ? directions : at[i]!.map(() => directions[i]!);
        const wanted = at[i]!.map((layer, l) => ({ layer, hash: hash(own[l]!.vector) }));
        expect(made("")).toEqual({
          kind: "project-out",
          strength: null,
          directions: wanted.toSorted((a, b) => a.layer - b.layer),
        });
        const random = made("-random-1")!.directions;
        expect(random.map(({ layer }) => layer)).toEqual(at[i]!.toSorted());
        // One random direction beside one, at each of its layers; beside several as many.
        expect(new Set(random.map((one) => one.hash)).size).toBe(name === "together" ? 2 : 1);
        expect(random.map((one) => one.hash)).not.toEqual(
          made("-random-2")!.directions.map((one) => one.hash),
        );
      }
    },
  );

  it("leaves random directions out of the comparison whose text is not coherent, and says so", () => {
    const arm = (name: string, shows: number, isCoherent: boolean) => ({
      arm: {
        name,
        coherence: { logprob: -1, tokens: 9, unscored: 0 },
        rates: [],
        strength: 1,
        drop: 0,
        isCoherent,
      },
      verdicts: prompts.map(({ scenario, variant }, i) => ({
        rollout: `${scenario}#0`,
        scenario,
        variant,
        sample: 0,
        label: i < shows ? ("shows" as const) : ("not" as const),
      })),
    });
    const request = { mode: "add", directions: [], prompts, judge: says("x") } as const;
    const report = (random: readonly [shows: number, isCoherent: boolean][], isCoherent = true) =>
      describeSteering(request, {
        identity: engine.identity,
        settings: { strength: 1, grid: [1], halvings: 0, coherenceBound: 1, randomDirections: 2 },
        sampling: {} as RolloutManifest["sampling"], // is passed on
        unsteered: arm("unsteered", 0, true),
        layers: [
          {
            target: {
              layer: 1,
              length: 1,
              directions: [{ layer: 1, vector: new Float32Array(32) }],
            },
            grid: [arm("steered", 4, isCoherent)],
            steered: arm("steered", 4, isCoherent),
            random: random.map(([shows, ok], i) => arm(`random-${i + 1}`, shows, ok)),
          },
        ],
      });
    const some = report([
      [4, false],
      [0, true],
    ]);
    expect(some.layers[0]!.random!.rates[0]!.rate.rate).toBe(0);
    expect(some.layers[0]!.effects[0]).toMatchObject({
      steeredToRandom: { difference: 1 },
      verdict: "no-evidence",
    });
    expect(some.notes).toEqual([
      "random-1: the text is not coherent, so its rate says nothing, and it is in no comparison.",
    ]);
    const none = report([
      [4, false],
      [0, false],
    ]);
    expect(none.layers[0]!.random!.rates[0]!.rate.rate).toBe(0.5);
    expect(none.layers[0]!.effects[0]).toMatchObject({
      verdict: "incoherent",
      sentence: expect.stringMatching(/with random directions/) as string,
    });
    expect(report([[0, true]], false).layers[0]!.effects[0]).toMatchObject({
      verdict: "incoherent",
      sentence: expect.stringMatching(/the steered text/) as string,
    });
  });

  it("says so where not even the least strength leaves the text coherent, and compares nothing", async () => {
    const directions = [{ layer: 3, vector: rows.get(" the")! }];
    const report = await run("broken", directions, {
      grid: [1e3, 1e4],
      halvings: 0,
      coherenceBound: 0,
    });
    const [layer] = report.layers;
    expect(layer).toMatchObject({ steered: undefined, random: undefined, effects: [] });
    expect(layer!.grid.map(({ strength }) => strength)).toEqual([1e3]);
    expect(layer!.reason).toMatch(
      /no strength leaves the text coherent; the least, 1000: .* 0 allowed/,
    );
    expect(report.notes[0]).toMatch(/Layer 3: no strength .* Try smaller/);
  });

  it("looks between the last strength that holds and the first that fails", async () => {
    const directions = [{ layer: 3, vector: rows.get(" the")! }];
    const whole = await run("climb", directions, { grid: [1e-9, 1e3], coherenceBound: 0 });
    const tried = whole.layers[0]!.grid;
    expect(tried).toHaveLength(4);
    const strengths = tried.map(({ strength }) => strength!);
    expect(strengths).toEqual(strengths.toSorted((a, b) => a - b));
    const chosen = tried.findIndex(({ name }) => name === whole.layers[0]!.steered!.name);
    expect(tried.map(({ isCoherent }) => isCoherent)).toEqual(tried.map((_, i) => i <= chosen));
    expect(whole.layers[0]!.reason).toMatch(/the largest that leaves the text coherent/);
  });

  it("ends where the judge has no verdict on any unsteered rollout, and keeps the rollouts", async () => {
    const directions = [{ layer: 3, vector: rows.get(" the")! }];
    const judge = says("nobody says this", "missing");
    await expect(run("mute", directions, { judge })).rejects.toThrow(
      /judge "says@\w+": has no verdict on any of 8 unsteered rollouts \(no rule applies\)/,
    );
    expect(existsSync(join(folder, "mute/arms/unsteered/rollouts.jsonl"))).toBe(true);
  });

  it.each([
    ["no direction", { directions: [] }, /expected directions/],
    [
      "a layer past the last",
      { directions: [{ layer: 4, vector: new Float32Array(32).fill(1) }] },
      /layers from 0 to 3, got 4/,
    ],
    [
      "another width",
      { directions: [{ layer: 1, vector: new Float32Array(8).fill(1) }] },
      /layer 1: expected a direction of 32 dimensions, got 8/,
    ],
    [
      "nothing to add",
      { directions: [{ layer: 1, vector: new Float32Array(32) }] },
      /got one that has none/,
    ],
    ["falling strengths", { grid: [2, 1] }, /strengths above 0 in ascending order, got 2, 1/],
    ["a strength of 0", { strength: 0 }, /strengths above 0/],
    ["no random direction", { randomDirections: 0 }, /at least one random direction/],
    [
      "projecting out past the last layer",
      { mode: "project-out", projectOutAt: [1, 4] },
      /layers from 0 to 3 to project out at, each once, got 1, 4/,
    ],
    ["projecting out nowhere", { mode: "project-out", projectOutAt: [] }, /each once, got none/],
    ["projecting out twice", { mode: "project-out", projectOutAt: [1, 1] }, /once, got 1, 1/],
    ["no prompts", { prompts: [] }, /expected prompts, got none/],
  ] as [string, Partial<SteerRequest>, RegExp][])("refuses %s", async (_, request, message) => {
    const directions = [{ layer: 1, vector: new Float32Array(32).fill(1) }];
    await expect(run("refused", directions, request)).rejects.toThrow(message);
  });
});

describe("the folder of a steering", () => {
  const claim = (name: string, strength: number, force = false): Promise<void> =>
    claimSteeringFolder(
      engine.identity,
      {
        mode: "add",
        directions: [{ layer: 1, vector: new Float32Array(32).fill(1) }],
        prompts,
        judge: says("x"),
        strength,
      },
      { out: join(folder, name), samples: 2, maxTokens: 4, temperature: 0, force },
    );

  it("is that of one request, which may come again; another is refused by name", async () => {
    await claim("claimed", 1);
    await claim("claimed", 1);
    await expect(claim("claimed", 2)).rejects.toThrow(/claimed: .*settings \(strength, grid\)/);
    await claim("claimed", 2, true);
    await claim("claimed", 2);
    const path = join(folder, "claimed", STEERING_REQUEST.name);
    const { version: _, ...earlier } = JSON.parse(readFileSync(path, "utf8")) as object & {
      version: number;
    };
    writeFileSync(path, JSON.stringify(earlier));
    const arm = join(folder, "claimed/arms/unsteered");
    mkdirSync(arm, { recursive: true });
    writeFileSync(join(arm, "rollouts.jsonl.partial.json"), "{}");
    await expect(claim("claimed", 2)).rejects.toThrow(/other settings \(version\)/);
    await claim("claimed", 2, true);
    expect(existsSync(arm)).toBe(false);
  });

  it("holds nothing else, but what a judge has kept", async () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "judge.answers.jsonl"), "");
    expect(() => expectSteeringFolder(other)).not.toThrow();
    writeFileSync(join(other, "thesis.txt"), "mine");
    await expect(claim("other", 1)).rejects.toThrow(
      /other: expected an empty folder, .* "thesis.txt" and no request.json/,
    );
    expect(() => expectSteeringFolder(join(other, "thesis.txt"))).toThrow(/expected a folder/);
  });
});

describe("the directions of a behaviour", () => {
  const behavior = (identity = engine.identity): StoredBehavior => {
    const { checkpointHash, tokenizerHash, templateHash, family, layerCount, dim } = identity;
    // What behaviorDirections reads of a behaviour.
    return {
      name: "b",
      dim,
      identity: { checkpointHash, tokenizerHash, templateHash },
      layers: [1, 2],
      directions: new Map([
        [1, new Float32Array(dim).fill(1)],
        [2, new Float32Array(dim).fill(2)],
      ]),
      lengths: new Map([
        [1, 3],
        [2, 5],
      ]),
      head: {
        checkpoint: { name: "sft", family, layerCount },
        layerChoice: { kind: "chosen", layer: 2, reason: "" },
      },
    } as unknown as StoredBehavior;
  };
  const { mode } = { mode: "add" as const };

  it("are as long as the mean difference, at the chosen layer unless others are named", () => {
    const [chosen, ...others] = behaviorDirections(behavior(), engine.identity, { mode });
    expect(others).toEqual([]);
    expect(chosen!.layer).toBe(2);
    expect(norm(chosen!.vector)).toBeCloseTo(5, 5);
    const both = behaviorDirections(behavior(), engine.identity, { mode, layers: [1, 2] });
    expect(both.map(({ vector }) => norm(vector))).toEqual([
      expect.closeTo(3, 5) as number,
      expect.closeTo(5, 5) as number,
    ]);
  });

  it("are refused at a layer that the behaviour lacks, and for a checkpoint that they do not belong to", () => {
    const get = (identity: Partial<Engine["identity"]>, options: object = {}) =>
      behaviorDirections(behavior(), { ...engine.identity, ...identity }, { mode, ...options });
    expect(() => get({}, { layers: [3] })).toThrow(
      /layers: expected layers of behavior "b" \(1, 2\), got 3/,
    );
    expect(() => get({ dim: 64 })).toThrow(
      /with 3 blocks of 32 dimensions, got llama with 3 of 64/,
    );
    expect(() => get({ checkpointHash: "other" })).toThrow(
      /another checkpoint .* differ in their weights/,
    );
    expect(() => get({ checkpointHash: "other" }, { mode: "project-out" })).not.toThrow();
    expect(() => get({ templateHash: "other" }, { mode: "project-out" })).toThrow(
      /differ in their template/,
    );
    expect(() => get({ checkpointHash: "other" }, { otherCheckpoint: true })).not.toThrow();
  });
});

it("where no layers are named, directions of all but the embeddings are projected out together, and else only the one chosen", () => {
  const out = { mode: "project-out" } as const;
  expect(unnamedLayers(out, { layers: [0, 1, 3] })).toEqual([1, 3]);
  expect(unnamedLayers(out, { layers: [0] })).toEqual([0]);
  expect(unnamedLayers({ ...out, projectOutAt: "own" }, { layers: [1, 3] })).toBeUndefined();
  expect(unnamedLayers({ ...out, projectOutAt: [2] }, { layers: [1, 3] })).toBeUndefined();
  expect(unnamedLayers({ mode: "add" }, { layers: [1, 3] })).toBeUndefined();
});

it("random directions have the length of the other, and differ by seed, layer and number", () => {
  const direction = { layer: 1, vector: Float32Array.of(3, 4, 0, 0) };
  const draw = (seed: number, n: number, layer = 1): string => {
    const { vector } = randomDirection({ ...direction, layer }, { seed, n });
    expect(norm(vector)).toBeCloseTo(5, 5);
    return vector.join();
  };
  expect(draw(0, 1)).toBe(draw(0, 1));
  expect(new Set([draw(0, 1), draw(0, 2), draw(1, 1), draw(0, 1, 2)]).size).toBe(4);
});
