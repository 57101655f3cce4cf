import { createHash } from "node:crypto";

import { z } from "zod";

import { defineMethod } from "../method.ts";

/** Bits of a random number: as many as a float holds exactly. */
const BITS = 24;

export const random = defineMethod({
  name: "random",
  meaning: "Nothing: a seeded number for each id, what every other method has to beat.",
  settings: z.strictObject({
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(0)
      .describe(
        "random: seed of the numbers; equal ones give a pair equal numbers, whatever other pairs there are.",
      ),
  }),
  needs: [],
  describe: ({ seed }) => ({
    formula: `a random number from 0 to 1 by id and seed ${seed}`,
    traits: { isBounded: true, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: ({ rows }, { seed }) =>
    Promise.resolve([{ scores: Float32Array.from(rows.ids, (id) => numberOf(`${seed}:${id}`)) }]),
});

function numberOf(text: string): number {
  const hash = createHash("sha256").update(text, "utf8").digest();
  return hash.readUIntBE(0, BITS / 8) / 2 ** BITS;
}
