import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { expectAllClose } from "../../test/support/close.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError, UnsupportedError } from "../util/errors.ts";
import { readRopeScaling } from "./read-rope.ts";
import { inverseFrequencies, rotaryAttentionFactor, sharesAngles, startsOver } from "./rope.ts";

interface GoldenCase {
  readonly name: string;
  readonly headDim: number;
  readonly theta: number;
  readonly maxPositions: number;
  readonly setting: Record<string, unknown> | null;
  readonly attentionFactor: number;
  readonly results: readonly { length: number; frequencies: number[] }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/rope/rope.json", import.meta.url), "utf8"),
) as { cases: GoldenCase[] };

const defaults = { theta: 10_000, maxPositions: 64 };

describe("inverseFrequencies", () => {
  it.each(golden.cases)(
    "are transformers' for $name",
    ({ headDim, theta, maxPositions, setting, attentionFactor, results }) => {
      const scaling = readRopeScaling("config.json", setting, { theta, maxPositions });
      expect(Math.abs(rotaryAttentionFactor(scaling) - attentionFactor)).toBeLessThan(1e-9);
      for (const { length, frequencies } of results) {
        // transformers computes in float32, here it is float64 rounded once.
        expectAllClose(inverseFrequencies(scaling, headDim, length), frequencies, { rtol: 2e-6 });
      }
    },
  );
});

it("two names for the kind of a rope that differ are refused, with both", async () => {
  const error = await expectFailure(
    () => readRopeScaling("c", { rope_type: "default", type: "linear", factor: 2 }, defaults),
    UnsupportedError,
  );
  expect(error.message).toMatch(/"type" "linear" beside "rope_type" "default"/);
});

describe("startsOver", () => {
  it("is true where longrope passes the original length, and nowhere else", () => {
    const long = readRopeScaling(
      "c",
      {
        type: "longrope",
        short_factor: [1],
        long_factor: [2],
        original_max_position_embeddings: 8,
      },
      defaults,
    );
    expect([7, 8, 9, 10].map((length) => startsOver(long, length))).toEqual([
      false,
      false,
      true,
      false,
    ]);
    const dynamic = readRopeScaling("c", { type: "dynamic", factor: 2 }, defaults);
    expect(startsOver(dynamic, 65)).toBe(false);
    expect([8, 9].map((length) => sharesAngles(long, length, 3))).toEqual([true, false]);
    expect(sharesAngles(long, 9, 20)).toBe(true);
  });
});

describe("readRopeScaling", () => {
  it("reads old and new spelling alike", () => {
    const old = readRopeScaling("c", { type: "linear", factor: 2 }, defaults);
    expect(readRopeScaling("c", { rope_type: "linear", factor: 2 }, defaults)).toEqual(old);
    expect(old).toEqual({ kind: "linear", theta: 10_000, factor: 2 });
  });

  it("takes the base from the setting before the rest of the config", () => {
    expect(readRopeScaling("c", { rope_theta: 77 }, defaults)).toEqual({
      kind: "default",
      theta: 77,
    });
    expect(readRopeScaling("c", undefined, defaults)).toEqual({ kind: "default", theta: 10_000 });
    expect(readRopeScaling("c", null, defaults)).toEqual({ kind: "default", theta: 10_000 });
  });

  it.each([
    ["su", { type: "su" }],
    ["mrope", { type: "mrope" }],
    ["3", { type: 3 }],
  ])("refuses the kind %s by name", async (name, setting) => {
    const error = await expectFailure(
      () => readRopeScaling("x/config.json", setting, defaults),
      UnsupportedError,
    );
    expect(error.message).toMatch(
      new RegExp(`^x/config\\.json: rope type "?${name}"? is not supported`),
    );
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["a factor that is missing", { type: "linear" }, /factor/],
    ["a factor that is text", { type: "dynamic", factor: "2" }, /factor/],
    ["a factor of zero", { type: "linear", factor: 0 }, /factor/],
    [
      "a partial rotation",
      { rope_type: "default", partial_rotary_factor: 0.5 },
      /partial_rotary_factor/,
    ],
    ["an unread key", { type: "linear", factor: 2, surprise: 1 }, /surprise/],
    ["missing bands", { rope_type: "llama3", factor: 8, low_freq_factor: 1 }, /high_freq_factor/],
  ])("refuses %s, naming it", async (_about, setting, says) => {
    const error = await expectFailure(
      () => readRopeScaling("x/config.json", setting, defaults),
      ConfigError,
    );
    expect(error.message).toMatch(/^x\/config\.json: /);
    expect(error.message).toMatch(says);
  });
});

describe("sharesAngles", () => {
  const dynamic = readRopeScaling("c", { type: "dynamic", factor: 2 }, defaults);

  it("is true for every scaling that does not look at the length", () => {
    for (const { setting, theta, maxPositions } of golden.cases) {
      const scaling = readRopeScaling("c", setting, { theta, maxPositions });
      expect(sharesAngles(scaling, 1, 10 * maxPositions)).toBe(scaling.kind !== "dynamic");
    }
  });

  it("with dynamic scaling is true exactly where the frequencies are the same", () => {
    for (const [a, b] of [
      [1, 64],
      [64, 65],
      [65, 66],
      [70, 70],
      [3, 5],
      [200, 10],
    ] as const) {
      const same =
        inverseFrequencies(dynamic, 16, a).join() === inverseFrequencies(dynamic, 16, b).join();
      expect(sharesAngles(dynamic, a, b), `${a} and ${b}`).toBe(same);
    }
  });
});
