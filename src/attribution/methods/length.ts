import { z } from "zod";

import { countCharacters, responseText, splitWords } from "../../pairs/text-measures.ts";
import { defineMethod } from "../method.ts";
import { textRows } from "../read-text.ts";

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
  score: async (task, { unit }, work) => {
    const measure = UNITS[unit];
    const scores = new Float32Array(task.rows.ids.length).fill(Number.NaN);
    const texts = textRows(task, work, "responses");
    for await (const { row, pair } of texts.read()) {
      scores[row] = measure(responseText(pair.chosen)) - measure(responseText(pair.rejected));
    }
    return [{ scores, causes: texts.causes, remarks: texts.remarks() }];
  },
});
