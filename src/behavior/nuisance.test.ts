import { describe, expect, it } from "vitest";

import type { ResponsePair } from "../pairs/response-pairs.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { cosine, dot, norm } from "../util/vector.ts";
import type { ResponseActivations } from "./activations.ts";
import { computeBehavior } from "./behavior.ts";
import { estimateNuisance, nuisanceOfBehavior } from "./nuisance.ts";
import { projectOut } from "./project-out.ts";
import { measureResponses } from "./response-measures.ts";
import { trainProbe } from "./train-probe.ts";

const DIM = 40;
const PAIRS = 80;
const LAYERS = [1, 3];
/** The behaviour, and what moves with the logarithm of a response's length. */
const BEHAVIOR_AXIS = 0;
const LENGTH_AXIS = 7;

describe("a planted length confound", () => {
  const activations = plant();
  const length = estimateNuisance(activations, measureResponses("length", [], activations));
  const cleared = projectOut(activations, [length]);

  it("is found among the responses of each side, although all after-responses are longer", () => {
    for (const layer of LAYERS) {
      const direction = length.directions.get(layer)!;
      expect(direction[LENGTH_AXIS]! / norm(direction)).toBeGreaterThan(0.9);
      expect(Math.abs(direction[BEHAVIOR_AXIS]! / norm(direction))).toBeLessThan(0.2);
      expect(length.splitHalf.get(layer)).toBeGreaterThan(0.8);
    }
  });

  it("dominates the behaviour vector, and is gone from it once projected out", () => {
    const along = (of: ResponseActivations, axis: number): number => {
      const vector = computeBehavior(of, { name: "b" }).vectors.get(1)!.rollout;
      return vector[axis]! / norm(vector);
    };
    expect(along(activations, LENGTH_AXIS)).toBeGreaterThan(0.8);
    expect(Math.abs(along(cleared, LENGTH_AXIS))).toBeLessThan(0.25);
    expect(along(cleared, BEHAVIOR_AXIS)).toBeGreaterThan(0.9);
    expect(computeBehavior(cleared, { name: "b" }).diagnostics[0]!.removedShare).toBeGreaterThan(
      0.5,
    );
    expect(computeBehavior(cleared, { name: "b" }).orthogonalTo).toEqual(["length"]);
  });

  it.each(["mean-difference", "logistic", "lda"] as const)(
    "leaves every vector of a %s behaviour orthogonal to it, nulls and bank included",
    async (kind) => {
      const mean = computeBehavior(cleared, { name: "b", nullDirections: 6 });
      const behavior =
        kind === "mean-difference" ? mean : await trainProbe(mean, cleared, { kind, splits: 2 });
      for (const layer of LAYERS) {
        const nuisance = length.directions.get(layer)!;
        const { rollout, scenario, bank, nullDirections, probe } = behavior.vectors.get(layer)!;
        const rows = [bank, nullDirections!].flatMap((matrix) =>
          Array.from({ length: matrix.length / DIM }, (_, i) =>
            matrix.subarray(i * DIM, (i + 1) * DIM),
          ),
        );
        for (const vector of [
          rollout,
          scenario,
          ...(probe === undefined ? [] : [probe]),
          ...rows,
        ]) {
          expect(Math.abs(cosine(vector, nuisance)!)).toBeLessThan(1e-5);
        }
      }
    },
  );
});

describe("projectOut", () => {
  it("takes several directions out at once, repeats included", () => {
    const activations = plant();
    const axis = (name: string, ...entries: readonly (readonly [number, number])[]) => {
      const direction = new Float32Array(DIM);
      for (const [at, value] of entries) direction[at] = value;
      return { name, directions: new Map(LAYERS.map((layer) => [layer, direction])) };
    };
    const slanted = axis("slanted", [2, 3], [3, 4]);
    const { differences, before, removed } = projectOut(activations, [
      slanted,
      axis("two", [2, 1]),
      axis("again", [2, -5]),
    ]);
    expect(removed!.basis.get(1)).toHaveLength(2);
    const row = differences.get(1)!.subarray(0, DIM);
    const old = activations.differences.get(1)!.subarray(0, DIM);
    // Axes 2 and 3 are spanned; all else stays.
    expect(Math.abs(row[2]!) + Math.abs(row[3]!)).toBeLessThan(1e-6);
    expect(row[4]).toBeCloseTo(old[4]!, 6);
    expect(Math.abs(dot(before.get(3)!.subarray(0, DIM), slanted.directions.get(3)!))).toBeLessThan(
      1e-5,
    );
  });

  it("refuses a direction that is the behaviour itself, and one that lacks a layer", () => {
    const activations = plant();
    const behavior = computeBehavior(activations, { name: "same" });
    const directions = new Map(
      LAYERS.map((layer) => [layer, behavior.vectors.get(layer)!.rollout]),
    );
    const itself = (): unknown => projectOut(activations, [{ name: "same", directions }]);
    expect(itself).toThrow(RuntimeError);
    expect(itself).toThrow("layer 1: nothing is left of the behaviour vector without same");
    const lacking = (): unknown =>
      projectOut(activations, [
        { name: "other", directions: new Map([[1, new Float32Array(DIM).fill(1)]]) },
      ]);
    expect(lacking).toThrow(ConfigError);
    expect(lacking).toThrow('orthogonal to "other": expected layer 3, got 1');
  });

  it("refuses a behaviour of another checkpoint", () => {
    const activations = plant();
    const identity = { checkpointHash: "else", tokenizerHash: "t", templateHash: "h" };
    expect(() =>
      nuisanceOfBehavior(
        { name: "refusal", identity, directions: new Map(), head: {} },
        activations,
      ),
    ).toThrow('orthogonal to "refusal": expected the checkpoint of tiny, got another one');
  });
});

describe("measureResponses", () => {
  const pairs = [
    pair("a", "Sorry, I can't help with that.", "1. one\n2. two", ["list"]),
    pair("b", "# Title\ntext", "```\nx\n``` and **bold**", []),
    pair("c", "SHOUTED", "- item"),
  ];
  const known = {
    pairIds: ["c", "a", "b"],
    responseTokens: { before: Int32Array.from([1, 2, 4]), after: Int32Array.from([8, 1, 1]) },
  };

  it.each([
    ["refusal", [0, 1, 0], [0, 0, 0]],
    ["list", [0, 0, 0], [1, 1, 0]],
    ["heading", [0, 0, 1], [0, 0, 0]],
    ["code", [0, 0, 0], [0, 0, 1]],
    ["bold", [0, 0, 0], [0, 0, 1]],
    ["capitals", [1, 0, 0], [0, 0, 0]],
    ["tag:list", [0, 1, 0], [0, 1, 0]],
    ["length", [0, Math.log(2), Math.log(4)], [Math.log(8), 0, 0]],
  ])("%s is read in the order of the activations", (name, before, after) => {
    expect(measureResponses(name, pairs, known)).toEqual({
      name,
      before: Float64Array.from(before),
      after: Float64Array.from(after),
    });
  });

  it("refuses what it does not know, and a measure in which no response differs", () => {
    expect(() => measureResponses("toString", pairs, known)).toThrow(ConfigError);
    expect(() => measureResponses("tag:verse", pairs, known)).toThrow(
      expect.objectContaining({
        message: 'orthogonal to: expected response pairs with the tag "verse", got none',
        hint: "Their tags are list.",
      }),
    );
    const activations = plant();
    const alike = {
      name: "list",
      before: new Float64Array(PAIRS),
      after: new Float64Array(PAIRS).fill(1),
    };
    expect(() => estimateNuisance(activations, alike)).toThrow(
      'orthogonal to "list": expected before-responses or after-responses that differ in it',
    );
  });
});

function pair(id: string, before: string, after: string, tags?: readonly string[]): ResponsePair {
  const turn = (content: string) => [{ role: "assistant", content }] as const;
  return {
    id,
    prompt: [{ role: "user", content: "q" }],
    before: turn(before),
    after: turn(after),
    scenario: id,
    ...(tags === undefined ? {} : { tags }),
  };
}

/** After-responses are longer and show the behaviour; activations follow both, and noise. */
function plant(): ResponseActivations {
  const rng = createRng(11);
  const tokens = (longer: number): Int32Array =>
    Int32Array.from({ length: PAIRS }, () => Math.round(20 * longer * Math.exp(rng.normal() / 2)));
  const responseTokens = { before: tokens(1), after: tokens(3) };
  const names = Array.from({ length: PAIRS }, (_, i) => `${i}`);
  const before = new Map<number, Float32Array>();
  const differences = new Map<number, Float32Array>();
  for (const layer of LAYERS) {
    const draw = (lengths: Int32Array, behavior: number): Float32Array =>
      Float32Array.from({ length: PAIRS * DIM }, (_, at) => {
        const axis = at % DIM;
        const length = Math.log(lengths[Math.floor(at / DIM)]!);
        return (
          rng.normal() / 3 +
          (axis === LENGTH_AXIS ? 2 * length : 0) +
          (axis === BEHAVIOR_AXIS ? behavior : 0)
        );
      });
    const without = draw(responseTokens.before, 0);
    const shown = draw(responseTokens.after, 1);
    before.set(layer, without);
    differences.set(
      layer,
      shown.map((value, at) => value - without[at]!),
    );
  }
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
    layers: LAYERS,
    before,
    differences,
    beforeNorms: new Map(LAYERS.map((layer) => [layer, new Float32Array(PAIRS).fill(7)])),
    responseTokens,
    pairIds: names,
    promptKeys: names,
    scenarios: names,
    unusable: [],
    maxTokens: 64,
    truncated: 0,
  };
}
