import { z } from "zod";

import { countCharacters, responseText, splitWords } from "../../pairs/text-measures.ts";
import { ConfigError } from "../../util/errors.ts";
import { defineMethod } from "../method.ts";

const UNITS = {
  characters: countCharacters,
  words: (text) => splitWords(text).length,
} as const satisfies Record<string, (text: string) => number>;

export const length = defineMethod({
  name: "length",
  meaning: "The chosen response is longer than the rejected one, whatever it says.",
  settings: z.strictObject({
    unit: z
      .enum(["characters", "words"])
      .default("characters")
      .describe("length: what is counted, of all turns of a response."),
  }),
  needs: ["pairs"],
  describe: ({ unit }) => ({
    formula: `${unit} of the chosen response minus those of the rejected one`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: async ({ rows, pairs }, { unit }, { signal, progress }) => {
    const measure = UNITS[unit];
    const rowOf = new Map(rows.ids.map((id, row) => [id, row]));
    const scores = new Float32Array(rows.ids.length).fill(Number.NaN);
    let done = 0;
    for await (const pair of pairs.read({ signal })) {
      const row = pair.kind === "pair" ? rowOf.get(pair.id) : undefined;
      if (pair.kind !== "pair" || row === undefined) continue;
      scores[row] = measure(responseText(pair.chosen)) - measure(responseText(pair.rejected));
      done++;
      progress?.update(done, scores.length);
    }
    if (done === scores.length) return [{ scores }];
    throw new ConfigError(
      `pairs: expected the text of ${scores.length} pairs, got that of ${done}`,
      {
        hint: "Name the files that were embedded.",
      },
    );
  },
});
