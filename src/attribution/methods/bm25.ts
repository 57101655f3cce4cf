import { z } from "zod";

import type { Message } from "../../format/messages.ts";
import { responseText, splitWords } from "../../pairs/text-measures.ts";
import { ConfigError } from "../../util/errors.ts";
import { defineMethod } from "../method.ts";
import { readableResponses, textRows, type TextRows } from "../read-text.ts";

/**
 * BM25 in Lucene's form (Kamphuis et al. 2020): a response d of |d| words scores, for each word w of the query,
 * ln(1 + (M − m + ½)/(m + ½)) · f/(f + k₁(1 − b + b|d|/L)), where w is f times in d and in m of all M responses, whose mean length is L. The
 * query is every after-response in turn, the score their mean, chosen minus rejected. One pair, "no way" over "fine then", after "no", b = 0,
 * k₁ = 1: ln(1 + 1.5/1.5) · 1/2 = 0.347.
 */
export const bm25 = defineMethod({
  name: "bm25",
  meaning:
    "The chosen response has rarer words of the behaviour's after-responses than the rejected one.",
  settings: z.strictObject({
    k1: z
      .number()
      .min(0)
      .max(10)
      .default(1.5)
      .describe("bm25: how late repeats of a word cease to count."),
    b: z.number().min(0).max(1).default(0.75).describe("bm25: how far long responses count less."),
  }),
  needs: ["pairs", "responses"],
  describe: ({ k1, b }) => ({
    formula: `BM25 (k1 ${k1}, b ${b}) of the chosen response minus that of the rejected one, the query the behaviour's after-responses`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: async ({ responses, ...task }, { k1, b }, work) => {
    const behavior = readableResponses(responses.pairs);
    const query = queryWeights(behavior.pairs.map(({ after }) => after));
    const texts = textRows(task, work, "responses");
    const corpus = await countCorpus(query, texts);
    const measure = (turns: readonly Message[]): number => {
      const words = wordsOf(turns);
      const rest = k1 * (1 - b + (b * words.length) / corpus.meanLength);
      let sum = 0;
      for (const [word, times] of countWords(words)) {
        const weight = query.get(word);
        if (weight === undefined) continue;
        const holding = corpus.holding.get(word) ?? 0;
        const rarity = Math.log(1 + (corpus.responses - holding + 0.5) / (holding + 0.5));
        sum += (weight * rarity * times) / (times + rest);
      }
      return sum;
    };
    const scores = new Float32Array(task.rows.ids.length).fill(Number.NaN);
    for await (const { row, pair } of texts.read()) {
      scores[row] = measure(pair.chosen) - measure(pair.rejected);
    }
    const remarks = [...texts.remarks(), ...behavior.remarks];
    return [{ scores, causes: texts.causes, remarks }];
  },
});

/** Case does not count. */
const wordsOf = (turns: readonly Message[]): readonly string[] =>
  splitWords(responseText(turns).toLowerCase());

function countWords(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** How often each word stands in an after-response, on average. */
function queryWeights(responses: readonly (readonly Message[])[]): ReadonlyMap<string, number> {
  const counts = countWords(responses.flatMap(wordsOf));
  if (counts.size > 0) {
    return new Map([...counts].map(([word, times]) => [word, times / responses.length]));
  }
  throw new ConfigError("responses: expected words in the after-responses, got none");
}

interface Corpus {
  readonly responses: number;
  /** In words. */
  readonly meanLength: number;
  /** Responses that hold a word of the query. */
  readonly holding: ReadonlyMap<string, number>;
}

/** One pass over the responses of all rows that can be read; memory is the query's. */
async function countCorpus(
  query: ReadonlyMap<string, number>,
  texts: Pick<TextRows, "read">,
): Promise<Corpus> {
  const holding = new Map<string, number>();
  let [length, responses] = [0, 0];
  for await (const { pair } of texts.read()) {
    responses += 2;
    for (const words of [wordsOf(pair.chosen), wordsOf(pair.rejected)]) {
      length += words.length;
      for (const word of new Set(words)) {
        if (query.has(word)) holding.set(word, (holding.get(word) ?? 0) + 1);
      }
    }
  }
  return { responses, meanLength: length / responses, holding };
}
