/** @file The trainer that runs on this machine: gradients from a graph, AdamW in the memory that the graph reads. */
import { join } from "node:path";

import { expectHeadFits } from "../model/expect-weights.ts";
import { responseLogprobs } from "../model/response-logprobs.ts";
import { readJsonObject } from "../model/tokenizer-config.ts";
import { firstMomentName, secondMomentName, type TrainingGraph } from "../model/training-graph.ts";
import { bindWeights, compile, type Program } from "../runtime/ort.ts";
import { lowerToOnnx, type LoweredGraph } from "../tensor/lower.ts";
import { UnsupportedError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { accumulateGradients } from "./accumulate-gradients.ts";
import type { EngineIdentity, ExampleLogprobs, TokenizedExample } from "./engine.ts";
import { expectTrainingMemory } from "./expect-memory.ts";
import type { LocalEngineOptions } from "./local-engine-options.ts";
import { streamLogprobs } from "./logprobs.ts";
import { type OpenCheckpoint, openCheckpoint } from "./open-checkpoint.ts";
import { ParameterArena, type ParameterSlot } from "./parameter-arena.ts";
import { ParameterCache } from "./parameter-cache.ts";
import { saveTrained } from "./save-trained.ts";
import { tokenizeExample, tokenizeText } from "./tokenize-example.ts";
import { buildTrainerGraph, startFactors } from "./trainer-graph.ts";
import { readStateTensors, type StateTensor, writeStateTensors } from "./trainer-state.ts";
import type { StepExample, StepResult, Trainer, TrainerSettings, WeightDtype } from "./trainer.ts";

/** Padded tokens of one run of the training graph, unless the user says otherwise; see docs/benchmarks.md for the choice. */
const DEFAULT_BATCH_TOKENS = 1024;

/**
 * Opens a checkpoint folder for training. Weights are read, and memory is taken, at the first step. Throws ConfigError where a LoRA target
 * fits no layer, UnsupportedError for LoRA over a merged adapter.
 */
export async function openLocalTrainer(
  dir: string,
  settings: TrainerSettings,
  options: LocalEngineOptions = {},
): Promise<LocalTrainer> {
  if (settings.adaptation.kind === "lora" && options.adapter !== undefined) {
    throw new UnsupportedError(
      "training: a LoRA adapter on top of another adapter could not be written as one",
      { hint: "Merge the first adapter into its checkpoint with PEFT, or train all weights." },
    );
  }
  const checkpoint = await openCheckpoint(dir, options);
  try {
    expectHeadFits(checkpoint.model, checkpoint.weights);
    const dropped = await describeDropout(dir);
    if (dropped !== undefined) options.onWarning?.(`${options.name ?? dir}: ${dropped}`);
    return new LocalTrainer(dir, checkpoint, settings, options);
  } catch (error) {
    await checkpoint.weights[Symbol.asyncDispose]();
    throw error;
  }
}

/** A sentence where config.json asks for dropout, which transformers applies in training and nothing here does. */
async function describeDropout(dir: string): Promise<string | undefined> {
  const config = (await readJsonObject(join(dir, "config.json"))) ?? {};
  const set = Object.entries(config).filter(
    ([key, value]) => /(?:_dropout|_pdrop)$/.test(key) && typeof value === "number" && value > 0,
  );
  if (set.length === 0) return undefined;
  const list = set.map(([key, value]) => `${key} ${value as number}`).join(", "); // filtered by it
  return `config.json sets ${list}; training here applies no dropout, where transformers would`;
}

/** A trainer in this process, whose numbers can be looked at. */
export class LocalTrainer implements Trainer {
  readonly identity: EngineIdentity;
  readonly trainedNumbers: number;
  readonly #dir: string;
  readonly #checkpoint: OpenCheckpoint;
  readonly #settings: TrainerSettings;
  readonly #options: LocalEngineOptions;
  readonly #graph: TrainingGraph;
  readonly #frozen: ParameterCache;
  #arena: ParameterArena | undefined;
  #program: Program | undefined;
  #steps = 0;

  constructor(
    dir: string,
    checkpoint: OpenCheckpoint,
    settings: TrainerSettings,
    options: LocalEngineOptions,
  ) {
    this.identity = checkpoint.identity;
    this.#dir = dir;
    this.#checkpoint = checkpoint;
    this.#settings = settings;
    this.#options = options;
    this.#graph = buildTrainerGraph(checkpoint, settings);
    this.#frozen = new ParameterCache(checkpoint.weights);
    this.trainedNumbers = this.#graph.trained.reduce((sum, each) => sum + sizeOf(each.shape), 0);
  }

  get #batchTokens(): number {
    return this.#options.batchTokens ?? DEFAULT_BATCH_TOKENS;
  }

  get steps(): number {
    return this.#steps;
  }

  tokenize: Trainer["tokenize"] = (prompt, responses, context) =>
    tokenizeExample(this.#checkpoint, prompt, responses, context);

  tokenizeText: Trainer["tokenizeText"] = (text) => tokenizeText(this.#checkpoint, text);

  async *startLogprobs(
    examples: readonly TokenizedExample[],
    options: JobOptions = {},
  ): AsyncIterable<ExampleLogprobs> {
    const { model } = this.#checkpoint;
    if (this.#steps > 0 && this.#settings.adaptation.kind === "full") {
      throw new Error("internal: the start checkpoint's weights have been changed");
    }
    const { logprobs, frequencyInputs } = responseLogprobs(model);
    const program = await this.#compile(lowerToOnnx({ logprobs }));
    try {
      const made = { program, frequencyInputs };
      yield* streamLogprobs(made, model, examples, { ...options, batchTokens: this.#batchTokens });
    } finally {
      await program[Symbol.asyncDispose]();
    }
  }

  async step(examples: readonly StepExample[], learningRate: number): Promise<StepResult> {
    const arena = await this.#openArena();
    this.#program ??= await this.#compile(lowerToOnnx(this.#graph.outputs));
    const found = await accumulateGradients(this.#program, arena.slots, examples, {
      config: this.#checkpoint.model.config,
      settings: this.#settings,
      frequencyInputs: this.#graph.frequencyInputs,
      trainedNumbers: this.trainedNumbers,
      batchTokens: this.#batchTokens,
    });
    const gradientNorm = arena.gradientNorm();
    if (Number.isFinite(found.loss) && Number.isFinite(gradientNorm)) {
      const { maxGradNorm } = this.#settings;
      // As torch.nn.utils.clip_grad_norm_ does.
      const factor = maxGradNorm === 0 ? 1 : Math.min(1, maxGradNorm / (gradientNorm + 1e-6));
      this.#steps++;
      arena.update(this.#steps, learningRate, factor, this.#settings);
    }
    return { ...found, gradientNorm };
  }

  async save(dir: string, dtype: WeightDtype): Promise<void> {
    const { slots } = await this.#openArena();
    await saveTrained(dir, dtype, {
      startDir: this.#dir,
      startName: this.identity.name,
      tokenizerDir: this.#checkpoint.tokenizerDir,
      isTied: this.#checkpoint.model.config.isTied,
      adaptation: this.#settings.adaptation,
      graph: this.#graph,
      slots,
    });
  }

  async saveState(dir: string, metadata: Readonly<Record<string, string>>): Promise<void> {
    await writeStateTensors(dir, await this.state(), { ...metadata, step: `${this.#steps}` });
  }

  async loadState(dir: string): Promise<Readonly<Record<string, string>> | undefined> {
    const metadata = await readStateTensors(dir, await this.state());
    if (metadata !== undefined) this.#steps = Number(metadata["step"]);
    return metadata;
  }

  /** Trained weights and both moments, as views. */
  async state(): Promise<readonly StateTensor[]> {
    const { slots } = await this.#openArena();
    return slots.flatMap(({ name, shape, values, firstMoment, secondMoment }) => [
      { name, shape, values },
      { name: firstMomentName(name), shape, values: firstMoment },
      { name: secondMomentName(name), shape, values: secondMoment },
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    await this.#checkpoint.weights[Symbol.asyncDispose]();
  }

  /** Compiles a graph over the weights as they are now. */
  async #compile(graph: LoweredGraph): Promise<Program> {
    const { device, threads } = this.#options;
    const slots = new Map((await this.#openArena()).slots.map((slot) => [slot.name, slot.values]));
    const { arrays } = await this.#frozen.load(
      graph.parameters.filter(({ name }) => !slots.has(name)),
    );
    const weights = bindWeights(
      graph.parameters.map(({ name, shape }) => [
        name,
        shape as readonly number[], // parameters have no named sizes
        slots.get(name) ?? arrays.get(name)!,
      ]),
    );
    return compile(graph, {
      weights,
      device,
      threads,
    });
  }

  /** The trained weights, at the first call as training starts from. */
  async #openArena(): Promise<ParameterArena> {
    if (this.#arena !== undefined) return this.#arena;
    expectTrainingMemory({ trained: this.trainedNumbers, frozen: this.#frozenNumbers() });
    const arena = new ParameterArena(
      this.#graph.trained.map((each) => ({ ...each, isDecayed: each.shape.length > 1 })),
    );
    if (this.#settings.adaptation.kind === "lora")
      startFactors(arena.slots, this.#graph, this.#settings);
    else await this.#readWeights(arena.slots);
    this.#arena = arena;
    return arena;
  }

  /** Numbers that stay as they are. */
  #frozenNumbers(): number {
    if (this.#settings.adaptation.kind === "full") return 0;
    const { weights } = this.#checkpoint;
    return [...weights.names()].reduce((sum, name) => sum + sizeOf(weights.shape(name)), 0);
  }

  async #readWeights(slots: readonly ParameterSlot[]): Promise<void> {
    // One by one, so that no second copy of all weights is held.
    for (const { name, shape, values } of slots) {
      const one = new ParameterCache(this.#checkpoint.weights);
      const { arrays } = await one.load([{ name, shape, elementType: "float32" }]);
      values.set(arrays.get(name)!);
    }
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
