/** Steered and amplified sampling against transformers with forward hooks: every layer, several families. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { ActiveRow } from "../src/engine/generation/active-rows.ts";
import { newGenerationCounter } from "../src/engine/generation/generate-options.ts";
import type { GenerationHost } from "../src/engine/generation/generation-host.ts";
import { RowDecoder } from "../src/engine/generation/row-decoder.ts";
import type { Steering } from "../src/engine/generation/steering.ts";
import { steeringChange } from "../src/engine/generation/step-changes.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { createRng } from "../src/util/rng.ts";
import { goldenHost, runGreedy, runSamples } from "./support/generation.ts";

interface GoldenSequence {
  readonly tokens: readonly number[];
  /** Of the last step, [V]. */
  readonly logits: readonly number[];
}

interface GoldenSteering {
  readonly kind: "add" | "project-out";
  readonly layer: number;
  readonly strength?: number;
}

const golden = JSON.parse(
  readFileSync(new URL("golden/steering/steering.json", import.meta.url), "utf8"),
) as {
  readonly steering: readonly {
    readonly checkpoint: string;
    readonly direction: readonly number[];
    readonly prompts: readonly (readonly number[])[];
    readonly layers: readonly (GoldenSteering & {
      readonly sequences: readonly GoldenSequence[];
    })[];
    readonly together: readonly {
      readonly directions: readonly {
        readonly layer: number;
        readonly direction: readonly number[];
      }[];
      readonly sequences: readonly GoldenSequence[];
    }[];
  }[];
  readonly amplified: readonly {
    readonly after: string;
    readonly before: string;
    readonly prompts: readonly (readonly number[])[];
    readonly settings: readonly {
      readonly alpha: number;
      readonly steering?: GoldenSteering & { readonly direction: readonly number[] };
      readonly sequences: readonly GoldenSequence[];
    }[];
  }[];
};
const ROOT = fileURLToPath(new URL("golden/checkpoints/", import.meta.url));
/** The reference has four decimals. */
const TOLERANCE = 3e-4;

function steeringOf(
  { kind, layer, strength = 0 }: GoldenSteering,
  direction: readonly number[],
): Steering {
  const vector = Float32Array.from(direction);
  return kind === "add"
    ? { kind, layer, direction: vector, strength }
    : { kind, directions: new Map([[layer, vector]]) };
}

const projectOut = (
  directions: readonly { readonly layer: number; readonly direction: readonly number[] }[],
): Steering => ({
  kind: "project-out",
  directions: new Map(
    directions.map(({ layer, direction }) => [layer, Float32Array.from(direction)]),
  ),
});

/** Logits [V] of the last step, where the tokens sampled are given. */
async function lastLogits(
  host: GenerationHost,
  prompt: readonly number[],
  tokens: readonly number[],
  steering: Steering,
): Promise<Float32Array> {
  const decoder = new RowDecoder(host, [Int32Array.from(prompt)], {
    order: [0],
    maxRows: 1,
    counter: newGenerationCounter(),
    output: "logits",
    changes: [steeringChange(steering, host.model.config)],
  });
  await decoder.admit(0, prompt.length - 1, []);
  const row: ActiveRow = {
    prompt: 0,
    sample: 0,
    length: prompt.length - 1,
    next: prompt.at(-1)!,
    tokens: [],
    rng: createRng(0),
  };
  let logits = await decoder.step([row]);
  for (const token of tokens.slice(0, -1)) {
    row.length++;
    row.next = token;
    logits = await decoder.step([row]);
  }
  return logits.array as Float32Array;
}

const largestDifference = (a: Float32Array, b: readonly number[]): number =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(a[i]! - value)), 0);

describe.each(golden.steering)("$checkpoint", ({ checkpoint, direction, prompts, layers }) => {
  it("continues as transformers does with a hook on the block, at every layer, all prompts in one batch", async () => {
    await using host = await goldenHost(ROOT + checkpoint);
    expect(layers).toHaveLength(2 * (host.model.config.layerCount + 1));
    for (const { sequences, ...setting } of layers) {
      const steering = steeringOf(setting, direction);
      const got = await runGreedy(host, prompts, { maxTokens: 10, steering });
      expect(got, `${setting.kind} at layer ${setting.layer}`).toEqual(
        sequences.map(({ tokens }) => tokens),
      );
    }
  });

  it("gives the reference's logits at its own layer, and not at the layers beside it", async () => {
    await using host = await goldenHost(ROOT + checkpoint);
    const { layerCount } = host.model.config;
    for (const { sequences, ...setting } of layers) {
      for (const [i, { tokens, logits }] of sequences.entries()) {
        const errorAt = async (layer: number): Promise<number> => {
          const steering = steeringOf({ ...setting, layer }, direction);
          return largestDifference(await lastLogits(host, prompts[i]!, tokens, steering), logits);
        };
        const about = `${setting.kind} at ${setting.layer}, prompt ${i}`;
        const own = await errorAt(setting.layer);
        expect(own, `${about}, hook there`).toBeLessThan(TOLERANCE);
        for (const layer of [setting.layer - 1, setting.layer + 1]) {
          if (layer < 0 || layer > layerCount) continue;
          const beside = await errorAt(layer);
          expect(beside, `${about}, hook at ${layer}`).toBeGreaterThan(10 * TOLERANCE);
        }
      }
    }
  });
});

describe.each(golden.steering)("$checkpoint, projected out at several layers", (given) => {
  const { checkpoint, prompts, together } = given;

  it("continues as transformers does with a hook on each", async () => {
    await using host = await goldenHost(ROOT + checkpoint);
    expect(together).toHaveLength(2);
    for (const { directions, sequences } of together) {
      const steering = projectOut(directions);
      const got = await runGreedy(host, prompts, { maxTokens: 10, steering });
      expect(got).toEqual(sequences.map(({ tokens }) => tokens));
    }
  });

  it("gives the reference's logits with all of them, not without any one, and not with the directions of two exchanged", async () => {
    await using host = await goldenHost(ROOT + checkpoint);
    for (const { directions, sequences } of together) {
      for (const [i, { tokens, logits }] of sequences.entries()) {
        const errorOf = async (some: typeof directions): Promise<number> =>
          largestDifference(await lastLogits(host, prompts[i]!, tokens, projectOut(some)), logits);
        expect(await errorOf(directions)).toBeLessThan(TOLERANCE);
        for (const left of directions) {
          const error = await errorOf(directions.filter((each) => each !== left));
          expect(error, `prompt ${i}, without layer ${left.layer}`).toBeGreaterThan(10 * TOLERANCE);
        }
        const [first, second, ...rest] = directions;
        if (first!.direction.join() === second!.direction.join()) continue;
        const exchanged = [
          { layer: first!.layer, direction: second!.direction },
          { layer: second!.layer, direction: first!.direction },
          ...rest,
        ];
        expect(await errorOf(exchanged), `prompt ${i}`).toBeGreaterThan(10 * TOLERANCE);
      }
    }
  });
});

describe.each(golden.amplified)(
  "$after against $before",
  ({ after, before, prompts, settings }) => {
    it("continues as the amplified logits of transformers say", async () => {
      await using host = await goldenHost(ROOT + after);
      await using other = await goldenHost(ROOT + before);
      for (const { alpha, steering, sequences } of settings) {
        const got = await runGreedy(host, prompts, {
          maxTokens: 10,
          amplifyBy: { before: other, alpha },
          ...(steering === undefined ? {} : { steering: steeringOf(steering, steering.direction) }),
        });
        expect(got, `alpha ${alpha}`).toEqual(sequences.map(({ tokens }) => tokens));
      }
    });
  },
);

describe("known effects after the last block", () => {
  // logits = W(g ⊙ x)/rms(x), W the output matrix and g the final norm's weight.
  const folder = `${ROOT}llama`;
  const prompt = [7, 8, 9];
  const rowOf = async (token: number, dim: number): Promise<[Float32Array, Float32Array]> => {
    await using weights = await openWeights(folder);
    const matrix = await weights.readFloat32("lm_head.weight");
    const norm = await weights.readFloat32("model.norm.weight");
    return [matrix.slice(token * dim, (token + 1) * dim), norm];
  };

  it.each([3, 40])(
    "without g ⊙ row the logit of token %i is 0, which it is not a layer earlier",
    async (token) => {
      await using host = await goldenHost(folder);
      const { dim, layerCount } = host.model.config;
      const [row, norm] = await rowOf(token, dim);
      const direction = row.map((value, i) => value * norm[i]!);
      const logitAt = async (layer: number): Promise<number> => {
        const steering: Steering = {
          kind: "project-out",
          directions: new Map([[layer, direction]]),
        };
        const logits = await lastLogits(host, prompt, [1, 2, 3], steering);
        return Math.abs(logits[token]!);
      };
      expect(await logitAt(layerCount)).toBeLessThan(1e-5);
      expect(await logitAt(layerCount - 1)).toBeGreaterThan(1e-2);
    },
  );

  it.each([3, 40])(
    "a large multiple of row / g makes every sampled token %i, the first too",
    async (token) => {
      await using host = await goldenHost(folder);
      const { dim, layerCount } = host.model.config;
      const [row, norm] = await rowOf(token, dim);
      const direction = row.map((value, i) => value / norm[i]!);
      const steering: Steering = { kind: "add", layer: layerCount, direction, strength: 1e4 };
      const [got] = await runGreedy(host, [prompt], { maxTokens: 4, steering });
      expect(got).toEqual([token, token, token, token]);
    },
  );
});

describe("what runs beside", () => {
  const rng = createRng(3);
  const prompts = Array.from({ length: 6 }, () =>
    Array.from({ length: 1 + rng.integer(30) }, () => rng.integer(64)),
  );
  const direction = Float32Array.from({ length: 32 }, () => rng.normal());
  const settings = {
    temperature: 0.9,
    topP: 0.95,
    samples: 2,
    seed: 7,
    maxTokens: 30,
    stopTokens: [5],
  };

  it.each<[string, Steering | undefined, number | undefined]>([
    ["added to", { kind: "add", layer: 2, direction, strength: 0.5 }, undefined],
    ["projected", { kind: "project-out", directions: new Map([[1, direction]]) }, undefined],
    [
      "projected at two layers",
      {
        kind: "project-out",
        directions: new Map([
          [1, direction],
          [3, direction.toReversed()],
        ]),
      },
      undefined,
    ],
    ["amplified", undefined, 1.5],
    ["both", { kind: "add", layer: 3, direction, strength: 0.5 }, -0.5],
  ])("does not matter to samples that are %s", async (_, steering, alpha) => {
    await using host = await goldenHost(`${ROOT}llama`);
    await using before = await goldenHost(`${ROOT}llama-bias`);
    const options = {
      ...settings,
      ...(steering === undefined ? {} : { steering }),
      ...(alpha === undefined ? {} : { amplifyBy: { before, alpha } }),
    };
    const together = await runSamples(host, prompts, { ...options, batch: 4 });
    expect(await runSamples(host, prompts, { ...options, batch: 1 })).toEqual(together);
    const [, , third] = await Promise.all(
      prompts.map((prompt) => runSamples(host, [prompt], { ...options, batch: 2 })),
    );
    expect(third![0]).toEqual(together[2]);
    expect(together).not.toEqual(await runSamples(host, prompts, { ...settings, batch: 4 }));
  });

  it("a change of no size, through the changed graph, gives the very samples of the unchanged one", async () => {
    await using host = await goldenHost(`${ROOT}llama`);
    await using before = await goldenHost(`${ROOT}llama-bias`);
    const plain = await runSamples(host, prompts, settings);
    const steering: Steering = { kind: "add", layer: 2, direction, strength: 0 };
    expect(await runSamples(host, prompts, { ...settings, steering })).toEqual(plain);
    const nothing = { before, alpha: 0 };
    expect(await runSamples(host, prompts, { ...settings, amplifyBy: nothing })).toEqual(plain);
    const opposite = await runSamples(host, prompts, {
      ...settings,
      amplifyBy: { before, alpha: -1 },
    });
    expect(opposite).toEqual(await runSamples(before, prompts, settings));
    expect(opposite).not.toEqual(plain);
  });
});
