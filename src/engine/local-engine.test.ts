import { existsSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { relativeError } from "../../test/support/close.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import {
  makeTinyCheckpoint,
  TINY_FAMILIES,
  type TinyCheckpointOptions,
} from "../../test/support/tiny-checkpoint.ts";
import { type Device, DEVICES } from "../runtime/device.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { ActivationError } from "./activation-error.ts";
import type { EmbeddedExample, Engine, TokenizedExample } from "./engine.ts";
import type { LocalEngineOptions } from "./local-engine-options.ts";
import { openLocalEngine } from "./local-engine.ts";
import { sharedPrefixLength } from "./shared-prefix.ts";

const ROOT = suiteFolder();
/** Float32 sums in another order differ by about this much. */
const SAME = 1e-5;

let made = 0;
const checkpoint = (options: TinyCheckpointOptions = {}): Promise<string> =>
  makeTinyCheckpoint(join(ROOT, `checkpoint-${made++}`), options);

async function openTiny(
  options: TinyCheckpointOptions = {},
  engineOptions: LocalEngineOptions = {},
): Promise<Engine> {
  return openLocalEngine(await checkpoint(options), { threads: 1, ...engineOptions });
}

/** All results, by example. */
async function embedAll(
  engine: Engine,
  examples: readonly TokenizedExample[],
  layers: readonly number[] = [0, 1, 2, 3],
): Promise<EmbeddedExample[]> {
  const results: EmbeddedExample[] = [];
  for await (const each of engine.embed(examples, { layers })) results.push(each);
  return results.toSorted((a, b) => a.index - b.index);
}

/** Each response in a call of its own. */
async function embedAlone(
  engine: Engine,
  { prompt, responses }: TokenizedExample,
  layers?: readonly number[],
): Promise<Float32Array[]> {
  const means: Float32Array[] = [];
  for (const response of responses) {
    const [only] = await embedAll(engine, [{ prompt, responses: [response] }], layers);
    means.push(only!.means[0]!);
  }
  return means;
}

/** Prompts of 1 to `maxPrompt` tokens with one to three responses of 1 to `maxResponse`. */
function randomExamples(
  count: number,
  { seed = 7, maxPrompt = 40, maxResponse = 25 } = {},
): TokenizedExample[] {
  const rng = createRng(seed);
  const tokens = (limit: number): Int32Array =>
    Int32Array.from({ length: 1 + rng.integer(limit) }, () => 1 + rng.integer(400));
  return Array.from({ length: count }, () => ({
    prompt: tokens(maxPrompt),
    responses: Array.from({ length: 1 + rng.integer(3) }, () => tokens(maxResponse)),
  }));
}

describe.each(TINY_FAMILIES)("%s", (family) => {
  it("gives a batch of unequal prompts what each response gives alone", async () => {
    await using engine = await openTiny({ family });
    const examples = randomExamples(24);
    const together = await embedAll(engine, examples);
    expect(together.map(({ index }) => index)).toEqual(examples.map((_, i) => i));
    for (const [i, example] of examples.entries()) {
      const alone = await embedAlone(engine, example);
      expect(together[i]!.means.length).toBe(alone.length);
      for (const [r, want] of alone.entries()) {
        const got = together[i]!.means[r]!;
        expect(relativeError(got, want), `example ${i}, response ${r}`).toBeLessThan(SAME);
      }
    }
  });

  it.each([
    { about: "followed by prompts of all lengths", maxPrompt: 20 },
    { about: "that is the whole prompt of every example", maxPrompt: 0 },
  ])("gives the same behind a long shared prefix $about", async ({ maxPrompt }) => {
    await using engine = await openTiny({ family });
    const prefix = Int32Array.from({ length: 45 }, (_, i) => (7 * i) % 400);
    const examples = randomExamples(16, { seed: 13, maxPrompt: Math.max(1, maxPrompt) }).map(
      ({ prompt, responses }, i) => ({
        // One prompt is the prefix and nothing else.
        prompt: i === 5 || maxPrompt === 0 ? prefix : Int32Array.from([...prefix, ...prompt]),
        responses,
      }),
    );
    expect(sharedPrefixLength(examples, [])).toBe(45);
    const together = await embedAll(engine, examples);
    for (const [i, example] of examples.entries()) {
      for (const [r, want] of (await embedAlone(engine, example)).entries()) {
        const got = together[i]!.means[r]!;
        expect(relativeError(got, want), `example ${i}, response ${r}`).toBeLessThan(SAME);
      }
    }
  });

  it("gives pairs of one prompt, some of their responses the same, what each gives alone", async () => {
    await using engine = await openTiny({ family });
    const [first, second] = randomExamples(2, { seed: 17, maxPrompt: 30 });
    const pool = randomExamples(4, { seed: 19, maxResponse: 12 }).flatMap((each) => each.responses);
    const examples = Array.from({ length: 9 }, (_, i) => ({
      prompt: (i % 3 === 0 ? second! : first!).prompt,
      responses: [pool[i % pool.length]!, pool[(i + 1 + (i >> 2)) % pool.length]!],
    }));
    const together = await embedAll(engine, examples);
    expect(together.map(({ index }) => index)).toEqual(examples.map((_, i) => i));
    for (const [i, example] of examples.entries()) {
      for (const [r, want] of (await embedAlone(engine, example)).entries()) {
        const got = together[i]!.means[r]!;
        expect(relativeError(got, want), `example ${i}, response ${r}`).toBeLessThan(SAME);
      }
    }
    // One caller's numbers are not another's.
    const arrays = together.flatMap(({ means }) => means);
    expect(new Set(arrays).size).toBe(arrays.length);
  });

  it.each([
    { about: "", shared: 0 },
    { about: " behind a shared prefix", shared: 60 },
  ])("gives long rows$about the means of what each token gives", async ({ shared }) => {
    await using engine = await openTiny({ family });
    const prefix = Int32Array.from({ length: shared }, (_, i) => (7 * i) % 400);
    const long = { maxPrompt: 260, maxResponse: 150 };
    const examples = randomExamples(12, { seed: 23, ...long }).map(({ prompt, responses }) => ({
      prompt: Int32Array.from([...prefix, ...prompt]),
      responses,
    }));
    const layer = 3;
    const together = await embedAll(engine, examples, [layer]);
    for await (const { index, activations } of engine.embedTokens(examples, { layer })) {
      for (const [r, values] of activations.entries()) {
        const mean = together[index]!.means[r]!;
        const count = values.length / mean.length;
        const want = mean.map((_, i) => {
          let sum = 0;
          for (let t = 0; t < count; t++) sum += values[t * mean.length + i]!;
          return sum / count;
        });
        expect(relativeError(mean, want), `example ${index}, response ${r}`).toBeLessThan(SAME);
      }
    }
  });

  it("pools as the mean over the response's tokens of the stream at each token", async () => {
    await using engine = await openTiny({ family });
    const [example] = randomExamples(1, { seed: 11, maxPrompt: 12, maxResponse: 25 });
    const { prompt, responses } = example!;
    const response = responses[0]!;
    // A response of one token, after everything before it, is that token's own stream: later tokens do not reach back.
    const steps = Array.from(response, (token, i) => ({
      prompt: Int32Array.from([...prompt, ...response.slice(0, i)]),
      responses: [Int32Array.of(token)],
    }));
    const tokens = (await embedAll(engine, steps)).map(({ means }) => means[0]!);
    const mean = tokens[0]!.map(
      (_, j) => tokens.reduce((sum, each) => sum + each[j]!, 0) / tokens.length,
    );
    const [got] = await embedAlone(engine, { prompt, responses: [response] });
    expect(relativeError(got!, mean)).toBeLessThan(SAME);
  });

  it("gives the same with the weights as constants of the graph", async () => {
    const dir = await checkpoint({ family });
    const examples = randomExamples(5);
    await using shared = await openLocalEngine(dir, { threads: 1 });
    await using constant = await openLocalEngine(dir, { threads: 1, weights: "constant" });
    const want = await embedAll(shared, examples);
    const got = await embedAll(constant, examples);
    for (const [i, { means }] of want.entries()) {
      for (const [r, mean] of means.entries()) {
        expect(relativeError(got[i]!.means[r]!, mean)).toBeLessThan(SAME);
      }
    }
  });
});

describe.each([
  ["INT8", 0.05],
  ["W8A8", 0.05],
  ["INT4", 0.4],
] as const)("weights held as %s", (precision, most) => {
  it.each(TINY_FAMILIES)(
    "give nearly what float32 gives, and say that they are not: %s",
    async (family) => {
      const dir = await checkpoint({ family });
      const examples = randomExamples(12, { seed: 5 });
      await using engine = await openLocalEngine(dir, { threads: 1 });
      await using small = await openLocalEngine(dir, { threads: 1, precision });
      const [full, rounded] = [await embedAll(engine, examples), await embedAll(small, examples)];
      for (const [i, { means }] of rounded.entries()) {
        for (const [r, got] of means.entries()) {
          const error = relativeError(got, full[i]!.means[r]!);
          expect(error, `example ${i}, response ${r}`).toBeLessThan(most);
          expect(error, `example ${i}, response ${r}`).toBeGreaterThan(1e-6);
        }
      }
      expect(small.identity).toEqual({ ...engine.identity, precision });
    },
  );

  it("are refused for what they do not serve", async () => {
    await using engine = await openTiny({}, { precision });
    const [example] = randomExamples(1);
    const first = async (of: () => AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of of()) return;
    };
    for (const [what, ask] of [
      ["sampling", () => engine.generate([example!.prompt])],
      ["log-probabilities", () => engine.logprobs([example!])],
      ["predicting states", () => engine.predictingStates([example!])],
    ] as const) {
      const error = await expectFailure(first(ask), ConfigError);
      expect(error.message).toBe(`precision: expected F32 for ${what}, got ${precision}`);
    }
    await expectFailure(openTiny({}, { precision, weights: "constant" }), ConfigError);
    await expectFailure(openTiny({}, { precision: "BF16" }), ConfigError);
  });
});

describe("dynamic rope", () => {
  const LIMIT = 16;
  const dynamic = {
    max_position_embeddings: LIMIT,
    rope_scaling: { type: "dynamic", factor: 2 },
  };

  it("gives responses on both sides of the limit the angles of their own length", async () => {
    await using engine = await openTiny({ config: dynamic });
    const [first, second, third] = randomExamples(3, { seed: 3, maxPrompt: 1, maxResponse: 1 });
    const tokens = (count: number, seed: number): Int32Array => {
      const rng = createRng(seed);
      return Int32Array.from({ length: count }, () => rng.integer(400));
    };
    const examples = [
      { prompt: tokens(10, 1), responses: [tokens(3, 2), tokens(9, 3), tokens(20, 4)] },
      { prompt: tokens(30, 5), responses: [tokens(2, 6), tokens(5, 7)] },
      { prompt: tokens(8, 8), responses: [tokens(8, 9), tokens(7, 10)] },
      first!,
      second!,
      third!,
    ];
    const together = await embedAll(engine, examples);
    for (const [i, example] of examples.entries()) {
      const alone = await embedAlone(engine, example);
      for (const [r, want] of alone.entries()) {
        expect(relativeError(together[i]!.means[r]!, want)).toBeLessThan(SAME);
      }
    }
    // And the scaling is at work at all: below the limit it changes nothing, above it does.
    await using plain = await openTiny({ config: { ...dynamic, rope_scaling: null } });
    const [below, above] = await Promise.all([
      embedAlone(plain, { prompt: examples[0]!.prompt, responses: [examples[0]!.responses[0]!] }),
      embedAlone(plain, { prompt: examples[0]!.prompt, responses: [examples[0]!.responses[1]!] }),
    ]);
    expect(relativeError(together[0]!.means[0]!, below[0]!)).toBeLessThan(SAME);
    expect(relativeError(together[0]!.means[1]!, above[0]!)).toBeGreaterThan(1e-3);
  });
});

describe("a sliding window", () => {
  it("hides what lies before it, and nothing where it is longer than the text", async () => {
    const [example] = randomExamples(1, { seed: 21 });
    const long = {
      prompt: Int32Array.from({ length: 60 }, (_, i) => 3 * i + 1),
      responses: example!.responses,
    };
    const changed = { ...long, prompt: long.prompt.map((id, i) => (i < 5 ? id + 100 : id)) };
    // Three blocks that look back 6 tokens each reach 18 tokens behind the response: not as far as the first five.
    await using narrow = await openTiny({ family: "mistral" });
    const [a, b] = await embedAll(narrow, [long, changed]);
    expect(relativeError(a!.means[0]!, b!.means[0]!)).toBeLessThan(SAME);
    await using wide = await openTiny({ family: "mistral", config: { sliding_window: 200 } });
    await using none = await openTiny({ family: "mistral", config: { sliding_window: null } });
    const [c, d] = await embedAll(wide, [long, changed]);
    const [e] = await embedAll(none, [long]);
    expect(relativeError(c!.means[0]!, d!.means[0]!)).toBeGreaterThan(1e-3);
    expect(relativeError(c!.means[0]!, e!.means[0]!)).toBeLessThan(SAME);
  });
});

describe("embed", () => {
  it("gives each example once, the same bits every time, however small the batches", async () => {
    const dir = await checkpoint();
    const examples = randomExamples(40);
    await using engine = await openLocalEngine(dir, { threads: 1 });
    await using single = await openLocalEngine(dir, { threads: 1, batchTokens: 1 });
    const once = await embedAll(engine, examples);
    expect(await embedAll(engine, examples)).toEqual(once);
    const alone = await embedAll(single, examples);
    expect(alone.map(({ index }) => index)).toEqual(examples.map((_, i) => i));
    for (const [i, { means }] of alone.entries()) {
      for (const [r, mean] of means.entries()) {
        expect(relativeError(mean, once[i]!.means[r]!)).toBeLessThan(SAME);
      }
    }
  });

  it("gives layers in the order asked for, and the same whichever others are asked for", async () => {
    await using engine = await openTiny();
    const examples = randomExamples(4);
    const all = await embedAll(engine, examples, [0, 1, 2, 3]);
    const some = await embedAll(engine, examples, [2, 0]);
    const dim = engine.identity.dim;
    const layerOf = (means: Float32Array, at: number): Float32Array =>
      means.subarray(at * dim, (at + 1) * dim);
    for (const [i, { means }] of some.entries()) {
      for (const [r, mean] of means.entries()) {
        expect(mean.length).toBe(2 * dim);
        const whole = all[i]!.means[r]!;
        expect(relativeError(layerOf(mean, 0), layerOf(whole, 2))).toBeLessThan(SAME);
        expect(relativeError(layerOf(mean, 1), layerOf(whole, 0))).toBeLessThan(SAME);
      }
    }
  });

  it("at layer 0 is the mean of the rows of the embedding table", async () => {
    let table: Float32Array = new Float32Array();
    await using engine = await openTiny({
      edit: (weights) => (table = weights.get("model.embed_tokens.weight")!.values),
    });
    const responses = [Int32Array.of(5, 9, 9, 300)];
    const [only] = await embedAll(engine, [{ prompt: Int32Array.of(1, 2), responses }], [0]);
    const row = (id: number): Float32Array => table.subarray(id * 32, (id + 1) * 32);
    const want = row(5).map((x, j) => (x + 2 * row(9)[j]! + row(300)[j]!) / 4);
    expect(relativeError(only!.means[0]!, want)).toBeLessThan(1e-6);
  });

  it("of no examples gives nothing", async () => {
    await using engine = await openTiny();
    expect(await embedAll(engine, [])).toEqual([]);
  });

  it("reports progress up to all examples", async () => {
    await using engine = await openTiny({}, { batchTokens: 50 });
    const seen: [number, number | undefined][] = [];
    const progress = {
      update: (done: number, total: number | undefined) => void seen.push([done, total]),
      note: () => {},
      end: () => {},
    };
    for await (const _ of engine.embed(randomExamples(9), { layers: [1], progress }));
    expect(seen.at(-1)).toEqual([9, 9]);
    expect(seen.map(([done]) => done)).toEqual(
      seen.map(([done]) => done).toSorted((a, b) => a - b),
    );
  });

  it("stops between batches when it is aborted", async () => {
    await using engine = await openTiny({}, { batchTokens: 1 });
    const examples = randomExamples(30).map((each) => ({
      ...each,
      responses: [each.responses[0]!],
    }));
    const abort = new AbortController();
    let count = 0;
    const work = async (): Promise<void> => {
      for await (const _ of engine.embed(examples, { layers: [1], signal: abort.signal })) {
        count++;
        if (count === 3) abort.abort();
      }
    };
    await expect(work()).rejects.toThrow(/aborted/);
    expect(count).toBe(3);
    await expect(work()).rejects.toThrow(/aborted/);
    expect(count).toBe(3);
  });

  it.each([[[]], [[4]], [[-1]], [[1.5]], [[0, 99]]])("refuses the layers %j", async (layers) => {
    await using engine = await openTiny();
    const error = await expectFailure(embedAll(engine, randomExamples(1), layers), ConfigError);
    expect(error.message).toMatch(/^layers: expected .* to 3 .*, got /);
  });
});

describe("numbers that are not finite", () => {
  it.each([NaN, Infinity])("a weight of %d is named with its place", async (bad) => {
    await using engine = await openTiny({
      edit: (weights) => {
        weights.get("model.layers.1.mlp.up_proj.weight")!.values[5 * 32 + 7] = bad;
      },
    });
    const error = await expectFailure(embedAll(engine, randomExamples(1), [2]), FormatError);
    expect(error.message).toMatch(
      /model\.safetensors: tensor "model\.layers\.1\.mlp\.up_proj\.weight".*\[5, 7\]/,
    );
    // Below the broken block nothing is wrong.
    expect(await embedAll(engine, randomExamples(1), [1])).toHaveLength(1);
  });

  /** Finite weights; the token `loud`, and no other, overflows in the MLP of the first block. */
  const overflowing = (loud: number): TinyCheckpointOptions => ({
    edit(weights) {
      const table = weights.get("model.embed_tokens.weight")!.values;
      for (let id = 0; id * 32 < table.length; id++) table[id * 32] = id === loud ? 1 : 0;
      weights.get("model.layers.0.self_attn.o_proj.weight")!.values.fill(0, 0, 32);
      for (const name of ["gate", "up"]) {
        const { values } = weights.get(`model.layers.0.mlp.${name}_proj.weight`)!;
        values.fill(0, 0, 32);
        values[0] = 3e38;
      }
    },
  });
  const quiet = randomExamples(6, { seed: 5 }).map((each) => ({
    prompt: each.prompt.map((id) => (id === 77 ? 78 : id)),
    responses: each.responses.map((ids) => ids.map((id) => (id === 77 ? 78 : id))),
  }));

  it("an activation that overflows names layer and example", async () => {
    await using engine = await openTiny(overflowing(77));
    expect(await embedAll(engine, quiet)).toHaveLength(6);
    const inResponse = quiet.with(4, {
      ...quiet[4]!,
      responses: [Int32Array.of(1, 2), Int32Array.of(3, 77)],
    });
    const error = await expectFailure(embedAll(engine, inResponse), ActivationError);
    expect([error.layer, error.example]).toEqual([1, 4]);
    expect(error.message).toMatch(/layer 1.*example 4/);
    const inPrompt = quiet.with(2, { ...quiet[2]!, prompt: Int32Array.of(9, 77, 3) });
    const later = await expectFailure(embedAll(engine, inPrompt), ActivationError);
    expect(later.example).toBe(2);
  });
});

describe("tokenize", () => {
  it("gives the prompt and, for each response, what the template adds", async () => {
    await using engine = await openTiny();
    const prompt = [{ role: "user", content: "which river" }] as const;
    const { prompt: ids, responses } = engine.tokenize(prompt, [
      [{ role: "assistant", content: "the green one" }],
      [{ role: "assistant", content: "none" }],
    ]);
    expect(ids.length).toBeGreaterThan(3);
    expect(responses).toHaveLength(2);
    expect(responses[0]!.length).toBeGreaterThan(responses[1]!.length);
    // <|im_end|> ends a turn and belongs to the response: the last token but the line break.
    expect(responses[0]!.at(-2)).toBe(responses[1]!.at(-2));
  });

  it.each([40, 49_152])("refuses a tokenizer of 420 tokens for %i embeddings", async (rows) => {
    const error = await expectFailure(openTiny({ config: { vocab_size: rows } }), ConfigError);
    expect(error.message).toMatch(/tokenizer has 420 tokens, config.json says "vocab_size": \d+$/);
    expect(error.hint).toMatch(/different checkpoints/);
  });

  it("refuses an added token beyond the embeddings where a text has it, and only there", async () => {
    await using engine = await openTiny({ tokenizer: "reasoning", config: { vocab_size: 420 } });
    expect(engine.tokenizeText("hello").length).toBeGreaterThan(0);
    const error = await expectFailure(() => engine.tokenizeText("<think>"), ConfigError);
    expect(error.message).toMatch(/gives id 420, the model's vocabulary has 420/);
  });

  it("tells on opening that transformers 5 would build another tokenizer", async () => {
    const lines: string[] = [];
    const onWarning = (line: string): void => void lines.push(line);
    await using _engine = await openTiny({ family: "qwen2", tokenizer: "headers" }, { onWarning });
    expect(lines).toEqual([
      expect.stringMatching(/writes today's date/),
      expect.stringMatching(/transformers 5 builds its class Qwen2Tokenizer anew/),
    ]);
  });
});

describe("identity", () => {
  const identify = async (dir: string, options: LocalEngineOptions = {}) => {
    await using engine = await openLocalEngine(dir, options);
    return engine.identity;
  };

  it("does not depend on where the checkpoint lies, on its name, or on other files", async () => {
    const dir = await checkpoint();
    const copy = join(ROOT, "elsewhere");
    await cp(dir, copy, { recursive: true });
    await writeFile(join(copy, "README.md"), "notes");
    const { name: _name, ...first } = await identify(dir);
    const { name, ...second } = await identify(copy, { name: "another" });
    expect(second).toEqual(first);
    expect(name).toBe("another");
    expect(first).toMatchObject({ family: "llama", layerCount: 3, dim: 32, maxPositions: 256 });
  });

  it("changes in the part that changed, and in no other", async () => {
    const dir = await checkpoint();
    const before = await identify(dir);
    const changed = async (work: (copy: string) => Promise<unknown>): Promise<string[]> => {
      const copy = join(ROOT, "changed");
      await cp(dir, copy, { recursive: true });
      await work(copy);
      const after = await identify(copy);
      await rm(copy, { recursive: true });
      const hashes = ["checkpointHash", "tokenizerHash", "templateHash"] as const;
      return hashes.filter((key) => after[key] !== before[key]);
    };
    const edit = (file: string, from: RegExp, to: string) => async (copy: string) => {
      const text = await readFile(join(copy, file), "utf8");
      expect(text).toMatch(from);
      await writeFile(join(copy, file), text.replace(from, to));
    };
    expect(await changed(async () => {})).toEqual([]);
    const flip = async (copy: string): Promise<void> => {
      const bytes = await readFile(join(copy, "model.safetensors"));
      bytes[bytes.length - 4]! ^= 1;
      await writeFile(join(copy, "model.safetensors"), bytes);
    };
    expect(await changed(flip)).toEqual(["checkpointHash"]);
    expect(await changed(edit("config.json", /"rope_theta": 1000/, '"rope_theta": 1001'))).toEqual([
      "checkpointHash",
    ]);
    expect(await changed(edit("tokenizer_config.json", /as well as you can/, "badly"))).toEqual([
      "templateHash",
    ]);
    expect(
      await changed(
        edit("tokenizer.json", /"add_prefix_space": ?false/, '"add_prefix_space": true'),
      ),
    ).toEqual(["tokenizerHash"]);
  });

  it("says raw where no template is used", async () => {
    expect((await identify(await checkpoint(), { template: "raw" })).templateHash).toBe(
      "raw, end token",
    );
  });
});

describe("devices that are not there", () => {
  const library = join(
    dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
    `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`,
  );
  const absent = DEVICES.filter((device) => {
    const home: Partial<Record<Device, boolean>> = {
      coreml: process.platform === "darwin",
      dml: process.platform === "win32",
      cuda: existsSync(library),
      // A software Vulkan driver may be anywhere: only a machine can tell.
      webgpu: true,
      cpu: true,
    };
    return home[device] === false;
  });

  it.each(absent)("%s is refused with a hint, not replaced by the cpu", async (device) => {
    await using engine = await openTiny({}, { device });
    const error = await expectFailure(embedAll(engine, randomExamples(1)), UnsupportedError);
    expect(error.message).toContain(`device ${device}`);
    expect(error.hint).toContain("--device cpu");
  });
});

it("counts positions as the rope scaling stretches them, for embedding and sampling alike", async () => {
  const config = {
    max_position_embeddings: 64,
    rope_scaling: { type: "linear", factor: 4 },
  };
  await using engine = await openTiny({ config });
  expect(engine.identity.maxPositions).toBe(256);
  expect(engine.contextLength).toBe(256);
});
