import { z } from "zod";

import { responseText } from "../../pairs/text-measures.ts";
import { countRequest, priced } from "../../rollouts/estimate-rollouts.ts";
import { ConfigError, RuntimeError } from "../../util/errors.ts";
import { dot, norm } from "../../util/vector.ts";
import { defineMethod } from "../method.ts";
import { inGroups } from "../pair-examples.ts";
import { readableResponses, textRows } from "../read-text.ts";
import {
  embedByEndpoint,
  embedByStates,
  embeddingQuestion,
  type TextEmbedder,
  type TextVector,
} from "../text-embedder.ts";

/**
 * Nearest neighbours: s(chosen) − s(rejected), s(y) the mean of the k largest cosines of y's embedding with those of the behaviour's
 * after-responses. Embeddings are an endpoint's, or without one the checkpoint's: the mean residual stream after the last block over the
 * response's text, minus the mean of the same over all before- and after-responses, since states share a large part that would make all
 * cosines alike. With cosines 0.9 and 0.5 of the chosen response, 0.2 and 0.6 of the rejected one, k = 1: 0.9 − 0.6 = 0.3.
 */
export const embedding = defineMethod({
  name: "embedding",
  meaning:
    "The chosen response's text is nearer to one of the behaviour's after-responses than the rejected one's.",
  settings: z.strictObject({
    neighbours: z
      .int()
      .min(1)
      .max(10_000)
      .default(1)
      .describe("embedding: after-responses whose cosines are averaged, the nearest ones."),
  }),
  needs: ["pairs", "responses"],
  uses: ["endpoint", "checkpoint"],
  oneOf: ["endpoint", "checkpoint"],
  serves: "embeddings",
  describe: ({ neighbours }) => ({
    formula: `s(chosen) - s(rejected), s the ${neighbours === 1 ? "largest cosine" : `mean of the ${neighbours} largest cosines`} of a response's text embedding with those of the behaviour's after-responses`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  estimate: async ({ responses, ...task }, _settings, { endpoint, store, prices, signal }) => {
    const seen = new Set<string>();
    const counts = { rollouts: 0, cached: 0, requests: 0, promptTokens: 0 };
    const countText = async (text: string): Promise<void> => {
      const { key, request } = embeddingQuestion(text, endpoint);
      const isKept = seen.has(key) || ((await store?.answers(key)) ?? []).length > 0;
      seen.add(key);
      if (isKept) counts.cached++;
      else countRequest(counts, request.messages);
    };
    const behavior = responses === undefined ? [] : readableResponses(responses.pairs).pairs;
    for (const { after } of behavior) await countText(responseText(after));
    for await (const { pair } of textRows(task, { signal }, "responses").read()) {
      counts.rollouts++;
      for (const turns of [pair.chosen, pair.rejected]) await countText(responseText(turns));
    }
    return { ...counts, ...priced(counts, 0, prices) };
  },
  score: async ({ responses, endpoint, checkpoint, ...task }, { neighbours }, work) => {
    const isServed = endpoint !== undefined;
    const embedder = isServed ? embedByEndpoint(endpoint, work) : embedByStates(checkpoint!, work); // oneOf
    const behavior = readableResponses(responses.pairs);
    const [query, centre] = await embedQuery(behavior.pairs, embedder, { isCentred: !isServed });
    if (query.length < neighbours) {
      throw new ConfigError(
        `neighbours: expected at most ${query.length}, as many as there are after-responses, got ${neighbours}`,
      );
    }
    const nearness = (vector: TextVector): number | string => {
      if ("missing" in vector) return vector.missing;
      const unit = toUnit(vector, centre);
      if (unit === undefined) return "its embedding has length zero";
      const cosines = query.map((each) => product(each, unit)).toSorted((a, b) => b - a);
      return cosines.slice(0, neighbours).reduce((sum, each) => sum + each, 0) / neighbours;
    };
    const scores = new Float32Array(task.rows.ids.length).fill(Number.NaN);
    const rows = textRows(task, work, "responses");
    const missing = new Map<number, string>();
    for await (const group of inGroups(rows.read())) {
      const texts = group.flatMap(({ pair }) => [pair.chosen, pair.rejected].map(responseText));
      const vectors = await embedder.embed(texts);
      for (const [i, { row }] of group.entries()) {
        const [chosen, rejected] = [nearness(vectors[2 * i]!), nearness(vectors[2 * i + 1]!)]; // two texts a pair
        if (typeof chosen === "string") missing.set(row, chosen);
        else if (typeof rejected === "string") missing.set(row, rejected);
        else scores[row] = chosen - rejected;
      }
    }
    const { usage } = embedder;
    work.count({ money: usage?.cost ?? 0 });
    const causes = new Map([...rows.causes, ...missing]);
    const remarks = [
      `Embedded by ${embedder.name}, ${query.length} after-responses.`,
      ...rows.remarks(),
      ...behavior.remarks,
    ];
    return [{ scores, causes, remarks, usage }];
  },
});

type Centre = Float32Array | undefined;

/** The after-responses as vectors of length 1, and what is taken from every vector first. Throws RuntimeError where one has no vector. */
async function embedQuery(
  pairs: readonly { readonly before: Turns; readonly after: Turns }[],
  embedder: TextEmbedder,
  { isCentred }: { readonly isCentred: boolean },
): Promise<readonly [readonly Float32Array[], Centre]> {
  const after = await embedAll(
    pairs.map((pair) => responseText(pair.after)),
    embedder,
  );
  const before = isCentred
    ? await embedAll(
        pairs.map((pair) => responseText(pair.before)),
        embedder,
      )
    : [];
  const centre = isCentred ? meanOf([...before, ...after]) : undefined;
  const units = after.flatMap((each) => toUnit(each, centre) ?? []);
  if (units.length > 0) return [units, centre];
  throw new ConfigError("responses: expected after-responses that differ, got one text alone");
}

type Turns = Parameters<typeof responseText>[0];

async function embedAll(
  texts: readonly string[],
  embedder: TextEmbedder,
): Promise<readonly Float32Array[]> {
  const found = await embedder.embed(texts);
  return found.map((each, i) => {
    if (!("missing" in each)) return each;
    throw new RuntimeError(`response pair ${i}: expected an embedding, got none: ${each.missing}`, {
      hint: "Every response of the behaviour is needed; what was answered is kept.",
    });
  });
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float64Array(vectors[0]!.length); // pairs are there
  for (const vector of vectors) for (const [i, value] of vector.entries()) mean[i]! += value;
  return Float32Array.from(mean, (sum) => sum / vectors.length);
}

/** Of length 1 once the centre is taken out; undefined where nothing is left. */
function toUnit(vector: Float32Array, centre: Centre): Float32Array | undefined {
  const moved = centre === undefined ? vector : vector.map((value, i) => value - centre[i]!);
  const length = norm(moved);
  return length === 0 ? undefined : moved.map((value) => value / length);
}

function product(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) {
    throw new RuntimeError(
      `embeddings: expected all of ${a.length} numbers, got one of ${b.length}`,
      { hint: "The endpoint or the answers that are kept mix models: take another --answers." },
    );
  }
  return dot(a, b);
}
