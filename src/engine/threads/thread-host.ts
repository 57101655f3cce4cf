/** @file The local engine whose long work is done by threads, so that several checkpoints are at work side by side. */
import type { EngineHost, EngineOptions } from "../engine-host.ts";
import type { EmbedOptions, Engine, LogprobOptions, TokenizedExample } from "../engine.ts";
import type { GenerateOptions } from "../generation/generate-options.ts";
import type { LocalEngineOptions } from "../local-engine-options.ts";
import { openLocalEngine } from "../local-engine.ts";
import { located } from "../local-host.ts";
import { openLocalTrainer } from "../local-trainer.ts";
import { expectFull } from "../precision.ts";
import type { StepExample, Trainer, TrainerSettings, WeightDtype } from "../trainer.ts";
import { EngineThread } from "./engine-thread.ts";

/** A host that is disposed of with its threads. */
export interface ThreadHost extends EngineHost, AsyncDisposable {}

export interface ThreadHostOptions {
  /** The built `thread.ts`. */
  readonly file: URL;
  /** Threads of the arithmetic of each checkpoint, where its options name none. */
  readonly threads: number;
}

/**
 * Opens checkpoints as the local engine does. Embedding of states, log-probabilities, sampling and training run in a thread for each open
 * checkpoint; tokenising, and what is seldom asked, in the caller's.
 */
export function createThreadHost({ file, threads }: ThreadHostOptions): ThreadHost {
  const pool = new Threads(file);
  const shared = (options: LocalEngineOptions): LocalEngineOptions => ({
    ...options,
    threads: options.threads ?? threads,
  });
  return {
    kind: "local",
    open: async (checkpoint: string, options: EngineOptions = {}) => {
      const { dir, ...local } = await located(checkpoint, options);
      const how = shared(local);
      const here = await openLocalEngine(dir, how);
      const there = new Lent(pool, (thread) => thread.call("openEngine", dir, sent(how)));
      return new ThreadedEngine(here, there);
    },
    openTrainer: async (
      checkpoint: string,
      settings: TrainerSettings,
      options: EngineOptions = {},
    ) => {
      expectFull(options.precision, "training");
      const { dir, ...local } = await located(checkpoint, options);
      const how = shared(local);
      const here = await openLocalTrainer(dir, settings, how);
      const there = new Lent(pool, (thread) =>
        thread.call("openTrainer", dir, settings, sent(how)),
      );
      return threadedTrainer(here, there);
    },
    [Symbol.asyncDispose]: () => pool.stop(),
  };
}

/** Options that a thread can be sent; warnings are the caller's, who opens the checkpoint too. */
function sent(options: LocalEngineOptions): LocalEngineOptions {
  const { name, adapter, device, threads, precision, batchTokens, weights } = options;
  const { template, boundary, ignoreUnread } = options;
  return {
    name,
    adapter,
    device,
    threads,
    precision,
    batchTokens,
    weights,
    template,
    boundary,
    ignoreUnread,
  };
}

/** Threads that wait for work, so that not each checkpoint starts one. */
class Threads {
  readonly #file: URL;
  readonly #all = new Set<EngineThread>();
  readonly #idle: EngineThread[] = [];

  constructor(file: URL) {
    this.#file = file;
  }

  take(): EngineThread {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isAlive) return idle;
    }
    const thread = new EngineThread(this.#file);
    this.#all.add(thread);
    return thread;
  }

  giveBack(thread: EngineThread): void {
    this.#idle.push(thread);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.stop()));
  }
}

/** A thread that has one checkpoint open, taken when it is first asked. */
class Lent implements AsyncDisposable {
  readonly #threads: Threads;
  readonly #open: (thread: EngineThread) => Promise<void>;
  #opened: Promise<EngineThread> | undefined;

  constructor(threads: Threads, open: (thread: EngineThread) => Promise<void>) {
    this.#threads = threads;
    this.#open = open;
  }

  thread(): Promise<EngineThread> {
    this.#opened ??= this.#start();
    return this.#opened;
  }

  async #start(): Promise<EngineThread> {
    const thread = this.#threads.take();
    try {
      await this.#open(thread);
    } catch (error) {
      this.#threads.giveBack(thread);
      throw error;
    }
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What failed to open was said to whoever asked.
    const thread = await this.#opened?.catch(() => undefined);
    if (thread?.isAlive !== true) return;
    await thread.call("close");
    this.#threads.giveBack(thread);
  }
}

/** An engine that knows its checkpoint here, and works in a thread. */
class ThreadedEngine implements Engine {
  readonly #here: Engine;
  readonly #there: Lent;

  constructor(here: Engine, there: Lent) {
    this.#here = here;
    this.#there = there;
  }

  get identity(): Engine["identity"] {
    return this.#here.identity;
  }
  get stopTokens(): Engine["stopTokens"] {
    return this.#here.stopTokens;
  }
  get unapplied(): readonly string[] {
    return this.#here.unapplied ?? [];
  }
  get contextLength(): number {
    return this.#here.contextLength;
  }
  tokenize: Engine["tokenize"] = (...words) => this.#here.tokenize(...words);
  tokenizeText: Engine["tokenizeText"] = (text) => this.#here.tokenizeText(text);
  tokenizePrompt: Engine["tokenizePrompt"] = (prompt) => this.#here.tokenizePrompt(prompt);
  tokenId: Engine["tokenId"] = (text) => this.#here.tokenId(text);
  opensThinking: Engine["opensThinking"] = (prompt) => this.#here.opensThinking(prompt);
  decode: Engine["decode"] = (tokens) => this.#here.decode(tokens);
  embedTokens: Engine["embedTokens"] = (...words) => this.#here.embedTokens(...words);
  predictingStates: Engine["predictingStates"] = (...words) =>
    this.#here.predictingStates(...words);

  async *embed(
    examples: readonly TokenizedExample[],
    options: EmbedOptions,
  ): ReturnType<Engine["embed"]> {
    const { signal, progress, layers, features } = options;
    if ((features?.kind ?? "states") !== "states") {
      yield* this.#here.embed(examples, options);
      return;
    }
    const thread = await this.#there.thread();
    yield* thread.stream("embed", { signal, progress }, examples, { layers });
  }

  async *logprobs(
    examples: readonly TokenizedExample[],
    { signal, progress, steering }: LogprobOptions = {},
  ): ReturnType<Engine["logprobs"]> {
    const thread = await this.#there.thread();
    yield* thread.stream("logprobs", { signal, progress }, examples, { steering });
  }

  generate(
    prompts: readonly Int32Array[],
    options: GenerateOptions = {},
  ): ReturnType<Engine["generate"]> {
    const { amplify } = options;
    // Options that are out of range are refused at once; the work itself begins when the first sample is asked for.
    const here = this.#here.generate(prompts, { ...options, amplify: withinHere(amplify) });
    if (amplify !== undefined) return here;
    return this.#generateThere(prompts, options);
  }

  async *#generateThere(
    prompts: readonly Int32Array[],
    options: GenerateOptions,
  ): ReturnType<Engine["generate"]> {
    // What a caller's options hold besides may be nothing that can be sent.
    const { signal, progress, counter, samples, maxTokens, temperature, topK, topP } = options;
    const { seed, stopTokens, batch, firstSample, firstSamples, steering } = options;
    const thread = await this.#there.thread();
    yield* thread.stream("generate", { signal, progress, counter }, prompts, {
      samples,
      maxTokens,
      temperature,
      topK,
      topP,
      seed,
      stopTokens,
      batch,
      firstSample,
      firstSamples,
      steering,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#there[Symbol.asyncDispose]();
    await this.#here[Symbol.asyncDispose]();
  }

  /** The engine of this thread. */
  static hereOf(engine: Engine): Engine {
    return engine instanceof ThreadedEngine ? engine.#here : engine;
  }
}

/** Two models that sample together do so in one thread, this one. */
function withinHere(amplify: GenerateOptions["amplify"]): GenerateOptions["amplify"] {
  return amplify && { ...amplify, before: ThreadedEngine.hereOf(amplify.before as Engine) };
}

/** A trainer that knows its checkpoint here, where no weights are read, and works in a thread. */
function threadedTrainer(here: Trainer, there: Lent): Trainer {
  let steps = 0;
  return {
    identity: here.identity,
    trainedNumbers: here.trainedNumbers,
    get steps() {
      return steps;
    },
    tokenize: (...words) => here.tokenize(...words),
    tokenizeText: (text) => here.tokenizeText(text),
    async *startLogprobs(examples, { signal, progress } = {}) {
      const thread = await there.thread();
      yield* thread.stream("startLogprobs", { signal, progress }, examples);
    },
    step: async (examples: readonly StepExample[], learningRate: number) => {
      const found = await (await there.thread()).call("step", examples, learningRate);
      steps = found.steps;
      return found.result;
    },
    save: async (dir: string, dtype: WeightDtype) => {
      await (await there.thread()).call("save", dir, dtype);
    },
    saveState: async (dir, metadata) => {
      await (await there.thread()).call("saveState", dir, metadata);
    },
    loadState: async (dir) => {
      const found = await (await there.thread()).call("loadState", dir);
      steps = found.steps;
      return found.metadata;
    },
    [Symbol.asyncDispose]: async () => {
      await there[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
    },
  };
}
