/**
 * @file What every engine must keep, whichever host opens it: a batch gives what its members give one at a time, training that was
 * interrupted ends in the same bytes, and what cannot be done is an error that names it. `expect` throws where a check does not hold.
 */
import { mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "vitest";

import type { EngineHost } from "../../src/engine/engine-host.ts";
import type { Engine, TokenizedExample } from "../../src/engine/engine.ts";
import type { StepExample, Trainer, TrainerSettings } from "../../src/engine/trainer.ts";
import { suiteFolder } from "./suite-folder.ts";
import { tinyPairs, writeTinyCheckpoint } from "./tiny-training.ts";

/** One thing that an engine must keep. */
export interface ContractCheck {
  readonly title: string;
  /** Whether it asks for a trainer, which engines on a cluster do not have yet. */
  readonly trains?: boolean;
  run(host: EngineHost): Promise<void>;
}

/** Rounding differs with the shape of a batch; a wrong mask or column differs by far more. */
const TOLERANCE = 1e-5;
const LAYERS = [0, 1, 2];
/** Gone after the suite that runs the checks. */
const root = suiteFolder();

const LORA: TrainerSettings["adaptation"] = { kind: "lora", rank: 4, alpha: 8, targets: null };
export const TRAINER_SETTINGS: TrainerSettings = {
  objective: { kind: "dpo", beta: 0.5, lengthNormalized: false, labelSmoothing: 0 },
  adaptation: { kind: "full" },
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  seed: 3,
};

export const ENGINE_CONTRACT: readonly ContractCheck[] = [
  {
    title: "embeds a batch of unequal texts as it embeds them one at a time",
    run: withEngine(async (engine) => {
      const examples = examplesOf(engine);
      const together = await collect(engine.embed(examples, { layers: LAYERS }));
      for (const [index, example] of examples.entries()) {
        const [alone] = await collect(engine.embed([example], { layers: LAYERS }));
        const found = together.find((each) => each.index === index)!;
        expect(found.means).toHaveLength(2);
        for (const [i, mean] of found.means.entries()) {
          expectClose(mean, alone!.means[i]!);
          expect(mean).toHaveLength(LAYERS.length * engine.identity.dim);
        }
      }
    }),
  },
  {
    title: "embeds layers in the order asked for, each as by itself",
    run: withEngine(async (engine) => {
      const examples = examplesOf(engine).slice(0, 1);
      const { dim } = engine.identity;
      const [all] = await collect(engine.embed(examples, { layers: LAYERS }));
      for (const [i, layer] of LAYERS.entries()) {
        const [one] = await collect(engine.embed(examples, { layers: [layer] }));
        expectClose(all!.means[0]!.slice(i * dim, (i + 1) * dim), one!.means[0]!);
      }
    }),
  },
  {
    title: "gives activations of single tokens, whose mean is what it embeds",
    run: withEngine(async (engine) => {
      const examples = examplesOf(engine);
      const { dim } = engine.identity;
      for (const layer of LAYERS) {
        const means = await collect(engine.embed(examples, { layers: [layer] }));
        const tokens = await collect(engine.embedTokens(examples, { layer }));
        expect(tokens).toHaveLength(examples.length);
        for (const { index, activations } of tokens) {
          const wanted = means.find((each) => each.index === index)!.means;
          for (const [i, response] of examples[index]!.responses.entries()) {
            const found = activations[i]!;
            expect(found).toHaveLength(response.length * dim);
            const mean = Float32Array.from({ length: dim }, (_, d) => {
              let sum = 0;
              for (let t = 0; t < response.length; t++) sum += found[t * dim + d]!;
              return sum / response.length;
            });
            expectClose(mean, wanted[i]!);
          }
        }
      }
    }),
  },
  {
    title: "gives log-probabilities of a batch as of its members",
    run: withEngine(async (engine) => {
      const examples = examplesOf(engine);
      const together = await collect(engine.logprobs(examples));
      for (const [index, example] of examples.entries()) {
        const [alone] = await collect(engine.logprobs([example]));
        const found = together.find((each) => each.index === index)!;
        expectClose(found.logprobs, alone!.logprobs);
        expect(found.tokenCounts).toEqual(example.responses.map(({ length }) => length));
        expect(found.logprobs.every((each) => each < 0)).toBe(true);
      }
    }),
  },
  {
    title: "gives log-probabilities under steering, of a batch as of its members",
    run: withEngine(async (engine) => {
      const examples = examplesOf(engine);
      const direction = Float32Array.from({ length: engine.identity.dim }, (_, i) => (i % 3) - 1);
      const plain = await collect(engine.logprobs(examples));
      for (const steering of [
        { kind: "add", layer: 1, direction, strength: 0.5 },
        { kind: "project-out", directions: new Map([[1, direction]]) },
      ] as const) {
        const together = await collect(engine.logprobs(examples, { steering }));
        for (const [index, example] of examples.entries()) {
          const [alone] = await collect(engine.logprobs([example], { steering }));
          expectClose(together.find((each) => each.index === index)!.logprobs, alone!.logprobs);
        }
        const [one, other] = [plain, together].map((each) => sortLogprobs(each));
        expect(one).not.toEqual(other);
      }
      const none = { kind: "add", layer: 1, direction, strength: 0 } as const;
      const unchanged = await collect(engine.logprobs(examples, { steering: none }));
      expect(sortLogprobs(unchanged)).toEqual(sortLogprobs(plain));
      const steering = { ...none, layer: 9, strength: 1 };
      await expect(collect(engine.logprobs(examples, { steering }))).rejects.toThrow(/9/);
    }),
  },
  {
    title: "gives the states that responses are predicted from, of a batch as of its members",
    run: withEngine(async (engine) => {
      const examples = examplesOf(engine);
      const together = await collect(engine.predictingStates(examples));
      for (const [index, example] of examples.entries()) {
        const [alone] = await collect(engine.predictingStates([example]));
        const found = together.find((each) => each.index === index)!;
        expect(found.tokenCounts).toEqual(example.responses.map(({ length }) => length));
        for (const [i, sum] of found.sums.entries()) {
          expect(sum).toHaveLength(engine.identity.dim);
          expectClose(sum, alone!.sums[i]!);
        }
      }
    }),
  },
  {
    title:
      "samples prompts of unequal length side by side as one at a time, greedily and by chance",
    run: withEngine(async (engine) => {
      const prompts = examplesOf(engine).map(({ prompt }) => prompt);
      for (const temperature of [0, 1]) {
        const options = { temperature, maxTokens: 6, samples: 2, seed: 5 };
        const samples = await collect(engine.generate(prompts, { ...options, batch: 8 }));
        expect(samples).toHaveLength(2 * prompts.length);
        const alone = await collect(engine.generate(prompts, { ...options, batch: 1 }));
        expect(sortSamples(samples)).toEqual(sortSamples(alone));
      }
    }),
  },
  {
    title: "names a layer that the checkpoint has not",
    run: withEngine(async (engine) => {
      const embedding = collect(engine.embed(examplesOf(engine), { layers: [9] }));
      await expect(embedding).rejects.toThrow(/9/);
    }),
  },
  {
    title: "names a stop token that the tokenizer has not",
    run: withEngine((engine) => {
      expect(() => engine.tokenId("no such token")).toThrow(/no such token/);
      return Promise.resolve();
    }),
  },
  {
    title: "names a checkpoint folder that is not there",
    run: async (host) => {
      const folder = join(await newFolder(), "nowhere");
      await expect(host.open(folder)).rejects.toThrow(/nowhere/);
    },
  },
  {
    title: "names a checkpoint folder to train that is not there",
    trains: true,
    run: async (host) => {
      const folder = join(await newFolder(), "nowhere");
      await expect(host.openTrainer(folder, TRAINER_SETTINGS)).rejects.toThrow(/nowhere/);
    },
  },
  {
    title: "names an adapter folder that is not there",
    run: async (host) => {
      const adapter = join(await newFolder(), "no-adapter");
      await expect(host.open(await tinyCheckpoint(), { adapter })).rejects.toThrow(/no-adapter/);
    },
  },
  {
    title: "names the context where a prompt leaves no room for a response",
    run: withEngine(async (engine) => {
      const content = "the cat sat ".repeat(engine.contextLength);
      const prompt = engine.tokenizePrompt([{ role: "user", content }]);
      const options = { temperature: 0, maxTokens: 4, samples: 1, seed: 1 };
      await expect(collect(engine.generate([prompt], options))).rejects.toThrow(
        new RegExp(`${engine.contextLength}`),
      );
    }),
  },
  {
    title: "starts training from the checkpoint's own log-probabilities",
    trains: true,
    run: async (host) => {
      const folder = await tinyCheckpoint();
      await using engine = await host.open(folder);
      await using trainer = await host.openTrainer(folder, TRAINER_SETTINGS);
      expect(trainer.identity.checkpointHash).toBe(engine.identity.checkpointHash);
      const examples = examplesOf(engine);
      const [a, b] = [
        await collect(engine.logprobs(examples)),
        await collect(trainer.startLogprobs(examples)),
      ];
      for (const { index, logprobs } of a) {
        expectClose(b.find((each) => each.index === index)!.logprobs, logprobs);
      }
    },
  },
  ...[TRAINER_SETTINGS.adaptation, LORA].map((adaptation): ContractCheck => ({
    title: `ends in the same bytes when training is interrupted (${adaptation.kind})`,
    trains: true,
    run: async (host) => {
      const folder = await tinyCheckpoint();
      const settings = { ...TRAINER_SETTINGS, adaptation };
      const undisturbed = await newFolder();
      await using whole = await host.openTrainer(folder, settings);
      await train(whole, 0, 4);
      await whole.save(undisturbed, "F32");
      const state = await newFolder();
      {
        await using first = await host.openTrainer(folder, settings);
        expect(await first.loadState(state)).toBeUndefined();
        await train(first, 0, 2);
        await first.saveState(state, { note: "half" });
      }
      await using second = await host.openTrainer(folder, settings);
      expect(await second.loadState(state)).toMatchObject({ note: "half" });
      expect(second.steps).toBe(2);
      await train(second, 2, 4);
      const resumed = await newFolder();
      await second.save(resumed, "F32");
      const names = (await readdir(undisturbed)).filter((name) => name.endsWith(".safetensors"));
      expect(names).toHaveLength(1);
      const [one, other] = await Promise.all(
        [undisturbed, resumed].map((dir) => readFile(join(dir, names[0]!))),
      );
      expect(one!.equals(other!)).toBe(true);
    },
  })),
  {
    title: "refuses the state of another training",
    trains: true,
    run: async (host) => {
      const folder = await tinyCheckpoint();
      const state = await newFolder();
      await using full = await host.openTrainer(folder, TRAINER_SETTINGS);
      await full.saveState(state, {});
      await using lora = await host.openTrainer(folder, { ...TRAINER_SETTINGS, adaptation: LORA });
      await expect(lora.loadState(state)).rejects.toThrow(/not the state of this run/);
    },
  },
];

function withEngine(check: (engine: Engine) => Promise<void>): ContractCheck["run"] {
  return async (host) => {
    await using engine = await host.open(await tinyCheckpoint());
    await check(engine);
  };
}

/** Prompts and responses of unequal lengths. */
function examplesOf(engine: Pick<Engine, "tokenize">): readonly TokenizedExample[] {
  return tinyPairs(5).map(({ prompt, chosen, rejected }) =>
    engine.tokenize(prompt, [chosen, rejected]),
  );
}

async function train(trainer: Trainer, from: number, to: number): Promise<void> {
  const pairs = tinyPairs(12);
  for (let step = from; step < to; step++) {
    const examples = pairs
      .slice(3 * step, 3 * step + 3)
      .map(({ prompt, chosen, rejected }): StepExample => ({
        ...trainer.tokenize(prompt, [chosen, rejected]),
        reference: [-9, -8],
      }));
    const { loss } = await trainer.step(examples, 1e-2);
    expect(Number.isFinite(loss)).toBe(true);
  }
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of from) found.push(each);
  return found;
}

type Sampled = Awaited<ReturnType<typeof collect<ReturnTypeOf<Engine["generate"]>>>>;
type ReturnTypeOf<F extends (...args: never[]) => AsyncIterable<unknown>> =
  ReturnType<F> extends AsyncIterable<infer T> ? T : never;

const sortSamples = (samples: Sampled): string[] =>
  samples.map((each) => JSON.stringify({ ...each, tokens: [...each.tokens] })).toSorted();

const sortLogprobs = (
  found: readonly { readonly index: number; readonly logprobs: readonly number[] }[],
): readonly (readonly number[])[] =>
  found.toSorted((a, b) => a.index - b.index).map(({ logprobs }) => logprobs);

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length);
  const scale = Math.max(1e-3, ...Array.from(want, Math.abs));
  for (let i = 0; i < want.length; i++) {
    expect(Math.abs(got[i]! - want[i]!) / scale).toBeLessThan(TOLERANCE);
  }
}

const newFolder = (): Promise<string> => mkdtemp(join(root, "contract-"));

async function tinyCheckpoint(): Promise<string> {
  const folder = join(await newFolder(), "checkpoint");
  await mkdir(folder);
  await writeTinyCheckpoint(folder);
  return folder;
}
