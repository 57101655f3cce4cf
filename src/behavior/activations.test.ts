import { expect, test } from "vitest";

import { ActivationError } from "../engine/activation-error.ts";
import type { EmbeddedExample, EmbeddingEngine, TokenizedExample } from "../engine/engine.ts";
import { UnusableExampleError } from "../model/prompt-renderer-error.ts";
import { NoUsablePairError, type ResponsePair } from "../pairs/response-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import { collectActivations } from "./activations.ts";

/** "<p>" before a prompt, one token a character, "<e>" after a response. */
const PROMPT_MARK = 1;
const END_MARK = 2;
/** A response at which this checkpoint overflows. */
const OVERFLOW = "!";

test("the difference is after minus before, at every layer, whatever order examples come back in", async () => {
  const pairs = [pair("x", "why", "abc", "bcd"), pair("y", "how", "a", "zzz")];
  const found = await collectActivations(createCharacterEngine(), pairs, { layers: [0, 2] });
  expect(found.pairIds).toEqual(["x", "y"]);
  // Means of (token, 1) x (layer + 1) over "bcd<e>" minus "abc<e>", then "zzz<e>" minus "a<e>".
  const y = (3 * 122 + 2) / 4 - (97 + 2) / 2;
  expect([...found.differences.get(0)!]).toEqual([0.75, 0, y, 0]);
  expect([...found.differences.get(2)!]).toEqual([2.25, 0, 3 * y, 0]);
  expect(found.beforeNorms.get(0)![1]).toBe(Math.fround(Math.hypot(49.5, 1)));
});

test("pairs with the same turns share a prompt key, and others do not", async () => {
  const pairs = [
    pair("x", "why", "a", "b"),
    pair("y", "why", "c", "d"),
    pair("z", "how", "a", "b"),
  ];
  const { promptKeys } = await collectActivations(createCharacterEngine(), pairs, { layers: [0] });
  expect(promptKeys[0]).toBe(promptKeys[1]);
  expect(promptKeys[0]).not.toBe(promptKeys[2]);
});

test("unusable pairs are listed with id and reason, and the others keep their order", async () => {
  const pairs = [
    pair("long", "w".repeat(9), "a", "b"),
    pair("good", "why", "a", "b"),
    pair("same", "why", "a", "a"),
    pair("same when cut", "why", "abcdefgh", "abcdefgz"),
    pair("cut", "why", "abcdefgh", "zzzzzzzz"),
  ];
  const engine = createCharacterEngine();
  const found = await collectActivations(engine, pairs, { layers: [0], maxTokens: 10 });
  expect(found.pairIds).toEqual(["good", "cut"]);
  expect(found.unusable.map(({ id, reason }) => [id, reason])).toEqual([
    ["long", "prompt-too-long"],
    ["same", "identical-sides"],
    ["same when cut", "identical-sides"],
  ]);
  expect(found.truncated).toBe(1);
  // "<p>why" leaves 6 tokens: "zzzzzz" minus "abcdef".
  expect(found.differences.get(0)![2]).toBe(122 - (97 + 102) / 2);
});

test("no usable pair is an error that gives the first reason", async () => {
  const collect = collectActivations(createCharacterEngine(), [pair("x", "why", "a", "a")], {
    layers: [0],
  });
  await expect(collect).rejects.toThrow(NoUsablePairError);
  await expect(collect).rejects.toThrow('"x": before and after are the same');
});

test("a pair that the chat template refuses is unusable, and the others go on", async () => {
  const bad: ResponsePair = { ...pair("odd", "why", "a", "b"), prompt: [] };
  const pairs = [bad, pair("x", "why", "a", "b")];
  const found = await collectActivations(createCharacterEngine(), pairs, { layers: [0] });
  expect(found.pairIds).toEqual(["x"]);
  expect(found.unusable).toEqual([
    { id: "odd", reason: "template-refused", detail: "expected a turn, got none" },
  ]);
});

test("an activation that is not finite is named by layer and pair", async () => {
  const pairs = [pair("x", "why", "a", "b"), pair("y", "why", OVERFLOW, "b")];
  await expect(
    collectActivations(createCharacterEngine(), pairs, { layers: [0, 1] }),
  ).rejects.toThrow('response pair "y": an activation at layer 0 is not finite');
});

test.each([
  ["no layer", { layers: [] }],
  ["a layer past the end", { layers: [3] }],
  ["a layer twice", { layers: [1, 1] }],
  ["more tokens than positions", { layers: [1], maxTokens: 101 }],
  ["more memory than allowed", { layers: [0, 1], maxBytes: 15 }],
])("%s is refused before anything is read", async (_what, options) => {
  await expect(
    collectActivations(createCharacterEngine(), [pair("x", "why", "a", "b")], options),
  ).rejects.toThrow(ConfigError);
});

function pair(id: string, prompt: string, before: string, after: string): ResponsePair {
  return {
    id,
    prompt: [{ role: "user", content: prompt }],
    before: [{ role: "assistant", content: before }],
    after: [{ role: "assistant", content: after }],
    scenario: "s",
  };
}

/** A checkpoint small enough to check by hand: layer l holds (token id, 1) x (l + 1) at every position. */
function createCharacterEngine(): EmbeddingEngine {
  return {
    identity: {
      name: "characters",
      checkpointHash: "c",
      tokenizerHash: "t",
      templateHash: "raw",
      family: "characters",
      layerCount: 2,
      dim: 2,
      maxPositions: 100,
    },
    tokenize(prompt, responses): TokenizedExample {
      if (prompt.length === 0)
        throw new UnusableExampleError("template-refused", "expected a turn, got none");
      return {
        prompt: Int32Array.from([PROMPT_MARK, ...prompt.flatMap((turn) => encode(turn.content))]),
        responses: responses.map((turns) =>
          Int32Array.from([...turns.flatMap((turn) => encode(turn.content)), END_MARK]),
        ),
      };
    },
    // The last first, since engines may answer in any order.
    async *embed(examples, { layers }): AsyncIterable<EmbeddedExample> {
      for (let index = examples.length - 1; index >= 0; index--) {
        const means = examples[index]!.responses.map((ids) => {
          if (ids[0] === OVERFLOW.charCodeAt(0)) throw new ActivationError(layers[0]!, index);
          const mean = ids.reduce((sum, id) => sum + id, 0) / ids.length;
          return Float32Array.from(layers.flatMap((l) => [mean * (l + 1), l + 1]));
        });
        yield await Promise.resolve({ index, means });
      }
    },
  };
}

function encode(text: string): number[] {
  return Array.from(text, (each) => each.charCodeAt(0));
}
