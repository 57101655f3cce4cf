/** @file The thread itself: opens an engine or a trainer and does what it is asked. Built as a file of its own, which a Worker starts. */
import { parentPort } from "node:worker_threads";

import type { JobOptions } from "../../util/progress.ts";
import type { Engine } from "../engine.ts";
import { type GenerationCounter, newGenerationCounter } from "../generation/generate-options.ts";
import { openLocalEngine } from "../local-engine.ts";
import { openLocalTrainer } from "../local-trainer.ts";
import type { Trainer } from "../trainer.ts";
import {
  type Answer,
  MAX_WAITING,
  type Request,
  sendError,
  type ThreadCalls,
  type ThreadStreams,
} from "./messages.ts";

/** News of how far a job is are sent this often at most. */
const PROGRESS_MS = 50;

/** A call at work. */
interface Job extends Required<JobOptions> {
  readonly counter: GenerationCounter;
}

let engine: Engine | undefined;
let trainer: Trainer | undefined;

const calls: ThreadCalls = {
  openEngine: async (dir, options) => {
    engine = await openLocalEngine(dir, options);
  },
  openTrainer: async (dir, settings, options) => {
    trainer = await openLocalTrainer(dir, settings, options);
  },
  close: async () => {
    await engine?.[Symbol.asyncDispose]();
    await trainer?.[Symbol.asyncDispose]();
    engine = undefined;
    trainer = undefined;
  },
  step: async (examples, learningRate) => {
    const result = await trained().step(examples, learningRate);
    return { result, steps: trained().steps };
  },
  save: (dir, dtype) => trained().save(dir, dtype),
  saveState: (dir, metadata) => trained().saveState(dir, metadata),
  loadState: async (dir) => {
    const metadata = await trained().loadState(dir);
    return { metadata, steps: trained().steps };
  },
};

const streams = ({ signal, progress, counter }: Job): ThreadStreams => ({
  embed: (examples, options) => asked().embed(examples, { ...options, signal, progress }),
  logprobs: (examples, options) => asked().logprobs(examples, { ...options, signal, progress }),
  generate: (prompts, options) =>
    asked().generate(prompts, { ...options, signal, progress, counter }),
  startLogprobs: (examples) => trained().startLogprobs(examples, { signal, progress }),
});

function asked(): Engine {
  if (engine === undefined) throw new Error("internal: the thread has no engine");
  return engine;
}

function trained(): Trainer {
  if (trainer === undefined) throw new Error("internal: the thread has no trainer");
  return trainer;
}

/** What the caller may say to a call at work. */
interface Heard {
  taken(): void;
  abort(): void;
}

const atWork = new Map<number, Heard>();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is of windows, this is a thread
const send = (answer: Answer): void => parentPort!.postMessage(answer);

parentPort!.on("message", (request: Request) => {
  if (request.kind === "call") void work(request);
  else atWork.get(request.id)?.[request.kind]();
});

async function work({ id, method, words }: Request & { readonly kind: "call" }): Promise<void> {
  const abort = new AbortController();
  const pieces = { waiting: 0 };
  let wake: (() => void) | undefined;
  atWork.set(id, {
    taken: () => {
      pieces.waiting--;
      wake?.();
    },
    abort: () => {
      abort.abort();
      wake?.();
    },
  });
  const counter = newGenerationCounter();
  const { signal } = abort;
  try {
    if (Object.hasOwn(calls, method)) {
      const call = calls[method as keyof ThreadCalls] as (...all: readonly unknown[]) => unknown;
      send({ id, kind: "end", value: await call(...words) });
      return;
    }
    const job = { signal, counter, progress: progressOf(id, counter) };
    const stream = streams(job)[method as keyof ThreadStreams] as (
      ...all: readonly unknown[]
    ) => AsyncIterable<unknown>;
    for await (const value of stream(...words)) {
      send({ id, kind: "piece", value, counter });
      pieces.waiting++;
      while (pieces.waiting >= MAX_WAITING && !signal.aborted) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      signal.throwIfAborted();
    }
    send({ id, kind: "end", counter });
  } catch (error) {
    send({ id, kind: "failure", error: sendError(error), counter });
  } finally {
    atWork.delete(id);
  }
}

function progressOf(id: number, counter: GenerationCounter): Job["progress"] {
  let lastMs = -Infinity;
  return {
    update: (done, total) => {
      const now = performance.now();
      if (now - lastMs < PROGRESS_MS && done !== total) return;
      lastMs = now;
      send({ id, kind: "progress", done, total, counter });
    },
    note: (line) => send({ id, kind: "note", line }),
    end: () => {},
  };
}
