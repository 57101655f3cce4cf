import { describe, expect, it } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { cosine, dot, norm } from "../util/vector.ts";
import type { ResponseActivations } from "./activations.ts";
import { computeBehavior, type Behavior } from "./behavior.ts";
import { allMembers, labelledDifference, type LabelledRows } from "./labelled-rows.ts";
import { createWhitening } from "./lda-probe.ts";
import { createLogisticProbe, STRENGTHS } from "./logistic-probe.ts";
import { createLearner } from "./probe-learner.ts";
import { groupKeys } from "./prompt-groups.ts";
import { drawMixedSigns } from "./sign-flips.ts";
import { rowsOf, trainProbe } from "./train-probe.ts";

const DIM = 48;
const KINDS = ["logistic", "lda"] as const;

describe.each(KINDS)("%s", (kind) => {
  it("finds a planted direction through loud noise, better than the mean difference does", async () => {
    // The behaviour is a step along axis 0; axis 1 is ten times as loud and means nothing.
    const activations = plant({ prompts: 60, step: 3, loud: 10, rng: createRng(1) });
    const mean = computeBehavior(activations, { name: "b" });
    const trained = await trainProbe(mean, activations, { kind, splits: 5 });
    const [before, after] = [mean.vectors.get(2)!.rollout, trained.vectors.get(2)!.probe!];
    expect(Math.abs(after[0]!) / norm(after)).toBeGreaterThan(Math.abs(before[0]!) / norm(before));
    expect(aurocOf(trained)).toBeGreaterThan(aurocOf(mean));
    expect(aurocOf(trained)).toBeGreaterThan(0.95);
    expect(trained.diagnostics[0]).toMatchObject({
      isStable: true,
      bootstrap: { kind: "not-computed" },
      splitHalf: { draws: 5 },
    });
    // Its length is how far the mean difference goes along it.
    expect(dot(before, after) / norm(after)).toBeCloseTo(norm(after), 4);
    expect(trained.diagnostics[0]!.norm).toBeCloseTo(norm(after), 4);
  });

  it("is a coin's toss on held-out prompts where before and after mean nothing", async () => {
    const areas: number[] = [];
    for (let seed = 0; seed < 12; seed++) {
      const activations = plant({ prompts: 24, step: 0, loud: 1, rng: createRng(50 + seed) });
      const behavior = computeBehavior(activations, { name: "b", nullDirections: 0 });
      areas.push(aurocOf(await trainProbe(behavior, activations, { kind, splits: 1 })));
    }
    // Trained on the prompts that it is tested on, either probe would come out at 1.
    expect(areas.reduce((sum, area) => sum + area, 0) / 12).toBeGreaterThan(0.42);
    expect(areas.reduce((sum, area) => sum + area, 0) / 12).toBeLessThan(0.58);
  });

  it("has null directions that do not point along a behaviour that all prompts share", async () => {
    const activations = plant({ prompts: 40, step: 20, loud: 1, rng: createRng(3) });
    const behavior = computeBehavior(activations, { name: "b", nullDirections: 12 });
    const { nullDirections, probe } = (
      await trainProbe(behavior, activations, { kind, splits: 1 })
    ).vectors.get(2)!;
    expect(nullDirections).toHaveLength(12 * DIM);
    expect(probe![0]! / norm(probe!)).toBeGreaterThan(0.9);
    for (let n = 0; n < 12; n++) {
      const one = nullDirections!.subarray(n * DIM, (n + 1) * DIM);
      expect(norm(one)).toBeCloseTo(1, 5);
      expect(Math.abs(one[0]!)).toBeLessThan(0.5);
    }
  });

  it("splits by prompt: halves do not agree on noise that the rows of a prompt share", async () => {
    const activations = echo(createRng(11));
    const behavior = computeBehavior(activations, { name: "b", nullDirections: 0 });
    const half = async (promptKeys: readonly string[]): Promise<number> => {
      const from = { ...activations, promptKeys };
      const { splitHalf } = (await trainProbe(behavior, from, { kind, splits: 6 })).diagnostics[0]!;
      return splitHalf.kind === "measured" ? splitHalf.mean : Number.NaN;
    };
    expect(Math.abs(await half(activations.promptKeys))).toBeLessThan(0.3);
    // The fault to avoid: rows of one prompt in both halves.
    expect(await half(activations.pairIds)).toBeGreaterThan(0.6);
  });

  it("gives the same again for the same seed", async () => {
    const activations = plant({ prompts: 12, step: 2, loud: 1, rng: createRng(4) });
    const behavior = computeBehavior(activations, { name: "b", nullDirections: 3, seed: 5 });
    const [one, two] = [
      await trainProbe(behavior, activations, { kind, splits: 2 }),
      await trainProbe(behavior, activations, { kind, splits: 2 }),
    ];
    expect(two).toEqual(one);
  });

  it("manages with four prompts, the fewest", async () => {
    const activations = plant({ prompts: 4, step: 4, loud: 1, rng: createRng(4) });
    const behavior = computeBehavior(activations, { name: "b", nullDirections: 2 });
    const { diagnostics } = await trainProbe(behavior, activations, { kind, splits: 3 });
    expect(diagnostics[0]!.heldOut).toMatchObject({ kind: "measured", folds: 4 });
    expect(diagnostics[0]!.isStable).toBe(false);
  });

  it("refuses too few prompts for the folds", async () => {
    const activations = plant({ prompts: 3, step: 2, loud: 1, rng: createRng(4) });
    const training = trainProbe(computeBehavior(activations, { name: "b" }), activations, { kind });
    await expect(training).rejects.toThrow(ConfigError);
    await expect(training).rejects.toThrow(`--probe ${kind}: too few prompts: 3, at least 4`);
  });

  it("refuses responses of one class", () => {
    const rows = rowsOf(plant({ prompts: 6, step: 1, loud: 1, rng: createRng(4) }), 2, "rollout");
    const onlyAfter = allMembers(rows).filter((i) => rows.labels[i] === 1);
    expect(() => createLearner(kind, rows).train(onlyAfter, 1)).toThrow(
      "expected before- and after-responses, got 12 after-responses only",
    );
  });

  it("stops when it is told to", async () => {
    const activations = plant({ prompts: 8, step: 2, loud: 1, rng: createRng(4) });
    const signal = AbortSignal.abort(new Error("stop"));
    const behavior = computeBehavior(activations, { name: "b" });
    await expect(trainProbe(behavior, activations, { kind, signal })).rejects.toThrow("stop");
  });
});

describe("logistic regression", () => {
  it("chooses C by prompt: noise that the rows of a prompt share asks for the strongest penalty", () => {
    const rows = rowsOf(echo(createRng(12)), 2, "rollout");
    const strength = (of: LabelledRows): number =>
      createLogisticProbe(of).chooseStrength(allMembers(of), of.labels, createRng(1));
    expect(strength(rows)).toBe(STRENGTHS[0]);
    // The fault to avoid: rows of one prompt on both sides of a fold, which makes noise look like a behaviour.
    const pairs = rows.labels.length / 2;
    const names = Array.from(rows.labels, (_, i) => `${i % pairs}`);
    expect(strength({ ...rows, prompts: groupKeys(names) })).toBeGreaterThan(1);
  });

  it("learns from its own rows alone, whatever the others are", () => {
    const rows = rowsOf(plant({ prompts: 20, step: 2, loud: 3, rng: createRng(13) }), 2, "rollout");
    const own = allMembers(rows).filter((i) => rows.prompts.of[i]! < 12);
    const members = new Set(own);
    const isOwn = (i: number): boolean => members.has(i);
    const moved = {
      ...rows,
      rows: rows.rows.map((value, at) => (isOwn(Math.floor(at / DIM)) ? value : 5 * value + 8)),
      weights: rows.weights.map((value, i) => (isOwn(i) ? value : 3 * value)),
    };
    const [probe, other] = [createLogisticProbe(rows), createLogisticProbe(moved)];
    for (const strength of [1e-2, 1, 100]) {
      const want = probe.train(own, rows.labels, { strength });
      const found = other.train(own, rows.labels, { strength });
      expect(1 - cosine(found, want)!).toBeLessThan(1e-9);
      expect(Math.abs(norm(found) / norm(want) - 1)).toBeLessThan(1e-5);
    }
    const chosen = [probe, other].map((each) =>
      each.chooseStrength(own, rows.labels, createRng(2)),
    );
    expect(chosen[1]).toBe(chosen[0]);
  });
});

describe("null directions", () => {
  const rows = rowsOf(plant({ prompts: 30, step: 2, loud: 3, rng: createRng(6) }), 2, "rollout");
  const all = allMembers(rows);
  const signs = drawMixedSigns(30, 8, createRng(7));
  const difference = labelledDifference(rows, all, rows.labels);
  const exchangeable = {
    ...rows,
    rows: rows.rows.map((value, at) => {
      const half = difference[at % DIM]! / 2;
      return rows.labels[Math.floor(at / DIM)] === 1 ? value - half : value + half;
    }),
  };
  const flipped = signs.map((pattern) =>
    rows.labels.map((label, i) => (pattern[rows.prompts.of[i]!] === 1 ? label : 1 - label)),
  );
  const meanNulls = Float32Array.from(
    flipped.flatMap((labels) => [...labelledDifference(exchangeable, all, labels)]),
  );

  it("of the discriminant are what training again on exchanged labels gives", async () => {
    const found: Float64Array[] = [];
    for await (const each of createLearner("lda", rows).nulls({
      signs,
      meanNulls,
      setting: undefined,
    }))
      found.push(each);
    for (const [n, labels] of flipped.entries()) {
      const again = createWhitening(exchangeable, all, labels).solve(
        labelledDifference(exchangeable, all, labels),
      );
      expect(cosine(found[n]!, again)).toBeGreaterThan(0.995);
    }
  });

  it("of pure noise fit their labels as well as the classifier fits the true ones", async () => {
    // How far apart a direction puts the two sides of its own training rows, in units of their spread.
    const noise = rowsOf(plant({ prompts: 40, step: 0, loud: 1, rng: createRng(8) }), 2, "rollout");
    const members = allMembers(noise);
    const patterns = drawMixedSigns(40, 20, createRng(9));
    const learner = createLearner("logistic", noise);
    const input = { signs: patterns, meanNulls: new Float32Array(0), setting: 10 };
    const gaps: number[] = [];
    let n = 0;
    for await (const direction of learner.nulls(input)) {
      const pattern = patterns[n++]!;
      const labels = noise.labels.map((label, i) =>
        pattern[noise.prompts.of[i]!] === 1 ? label : 1 - label,
      );
      gaps.push(dot(labelledDifference(noise, members, labels), direction) / norm(direction));
    }
    const real = learner.train(members, 10);
    const gap = dot(labelledDifference(noise, members, noise.labels), real) / norm(real);
    expect(gap).toBeGreaterThan(Math.min(...gaps) * 0.8);
    expect(gap).toBeLessThan(Math.max(...gaps) * 1.2);
  });
});

function aurocOf(behavior: Behavior): number {
  const { heldOut } = behavior.diagnostics[0]!;
  expect(heldOut.kind).toBe("measured");
  return heldOut.kind === "measured" ? heldOut.auroc : Number.NaN;
}

/** Eight response pairs of each of 14 prompts at layer 2, all the same noise but for a hundredth: before and after mean nothing. */
function echo(rng: Rng): ResponseActivations {
  const [prompts, copies] = [14, 8];
  const activations = plant({ prompts: (prompts * copies) / 2, step: 0, loud: 1, rng });
  const promptOf = (row: number): number => Math.floor(row / copies);
  const repeat = (values: Float32Array): Float32Array =>
    values.map((value, at) => {
      const first = promptOf(Math.floor(at / DIM)) * copies;
      return values[first * DIM + (at % DIM)]! + value / 100;
    });
  return {
    ...activations,
    before: new Map([[2, repeat(activations.before.get(2)!)]]),
    differences: new Map([[2, repeat(activations.differences.get(2)!)]]),
    promptKeys: activations.pairIds.map((_, row) => `${promptOf(row)}`),
    scenarios: activations.pairIds,
  };
}

/** Two response pairs of every prompt at layer 2: after lies `step` further along axis 0; axis 1 is `loud` times as loud. */
function plant(options: {
  readonly prompts: number;
  readonly step: number;
  readonly loud: number;
  readonly rng: Rng;
}): ResponseActivations {
  const { rng, loud, step } = options;
  const count = 2 * options.prompts;
  const draw = (): Float32Array =>
    Float32Array.from({ length: count * DIM }, (_, i) => rng.normal() * (i % DIM === 1 ? loud : 1));
  const own = draw();
  const shared = (i: number): number => own[i - (i % (2 * DIM)) + (i % DIM)]! / 2;
  const before = draw().map((value, i) => value + shared(i));
  const after = draw().map((value, i) => value + shared(i) + (i % DIM === 0 ? step : 0));
  const names = Array.from({ length: count }, (_, i) => `${Math.floor(i / 2)}`);
  return {
    identity: {
      name: "tiny",
      checkpointHash: "c",
      tokenizerHash: "t",
      templateHash: "h",
      family: "llama",
      layerCount: 4,
      dim: DIM,
      maxPositions: 64,
    },
    layers: [2],
    before: new Map([[2, before]]),
    differences: new Map([[2, after.map((value, i) => value - before[i]!)]]),
    beforeNorms: new Map([[2, new Float32Array(count).fill(7)]]),
    responseTokens: { before: new Int32Array(count).fill(3), after: new Int32Array(count).fill(3) },
    pairIds: names.map((_, i) => `p${i}`),
    promptKeys: names,
    scenarios: names,
    unusable: [],
    maxTokens: 64,
    truncated: 0,
  };
}
