/** @file What goes between a thread that does arithmetic and the one that asks it. */
import {
  ConfigError,
  CulpritError,
  FormatError,
  NothingToDoError,
  RuntimeError,
  ShapeError,
  UnsupportedError,
} from "../../util/errors.ts";
import type {
  EmbeddedExample,
  EmbedOptions,
  ExampleLogprobs,
  LogprobOptions,
  TokenizedExample,
} from "../engine.ts";
import type {
  GeneratedSample,
  GenerateOptions,
  GenerationCounter,
} from "../generation/generate-options.ts";
import type { LocalEngineOptions } from "../local-engine-options.ts";
import type { StepExample, StepResult, TrainerSettings, WeightDtype } from "../trainer.ts";

/** What cannot be sent: what a job tells while it is at work comes as messages of its own. */
type Unsent = "signal" | "progress" | "counter" | "amplify" | "onNotFinite" | "along";

/** What a thread is asked for, once. It has one engine or one trainer at a time, and `open…` comes first. */
export interface ThreadCalls {
  openEngine(dir: string, options: LocalEngineOptions): Promise<void>;
  openTrainer(dir: string, settings: TrainerSettings, options: LocalEngineOptions): Promise<void>;
  close(): Promise<void>;
  /** With the steps taken by then. */
  step(
    examples: readonly StepExample[],
    learningRate: number,
  ): Promise<{ readonly result: StepResult; readonly steps: number }>;
  save(dir: string, dtype: WeightDtype): Promise<void>;
  saveState(dir: string, metadata: Readonly<Record<string, string>>): Promise<void>;
  loadState(dir: string): Promise<{
    readonly metadata: Readonly<Record<string, string>> | undefined;
    readonly steps: number;
  }>;
}

/** What a thread gives piece by piece. */
export interface ThreadStreams {
  embed(
    examples: readonly TokenizedExample[],
    options: Omit<EmbedOptions, Unsent>,
  ): AsyncIterable<EmbeddedExample>;
  logprobs(
    examples: readonly TokenizedExample[],
    options: Omit<LogprobOptions, Unsent>,
  ): AsyncIterable<ExampleLogprobs>;
  generate(
    prompts: readonly Int32Array[],
    options: Omit<GenerateOptions, Unsent>,
  ): AsyncIterable<GeneratedSample>;
  startLogprobs(examples: readonly TokenizedExample[]): AsyncIterable<ExampleLogprobs>;
}

/** To the thread. `id` is that of a call. */
export type Request =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly method: keyof ThreadCalls | keyof ThreadStreams;
      readonly words: readonly unknown[];
    }
  /** The caller has taken a piece of a stream. */
  | { readonly kind: "taken"; readonly id: number }
  | { readonly kind: "abort"; readonly id: number };

/** From the thread. A call ends with `end` or `failure`. */
export type Answer = { readonly id: number; readonly counter?: GenerationCounter | undefined } & (
  | { readonly kind: "piece" | "end"; readonly value?: unknown }
  | { readonly kind: "progress"; readonly done: number; readonly total: number | undefined }
  | { readonly kind: "note"; readonly line: string }
  | { readonly kind: "failure"; readonly error: SentError }
);

/** An error as it crosses threads, which would take its class from it. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

/** Pieces of a stream that wait for their taker at most: a thread that is ahead stops there. */
export const MAX_WAITING = 16;

const CLASSES: readonly (typeof CulpritError)[] = [
  FormatError,
  ConfigError,
  ShapeError,
  UnsupportedError,
  NothingToDoError,
  RuntimeError,
];

/** The error to be sent; what is made of it is of its nearest class in util/errors.ts. */
export function sendError(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { name: "Error", message: String(error), hint: undefined, stack: undefined };
  }
  const known = CLASSES.find((each) => error instanceof each)?.name;
  return {
    name: known ?? error.name,
    message: error.message,
    hint: error instanceof CulpritError ? error.hint : undefined,
    stack: error.stack,
  };
}

/** The error that was sent, with the stack of where it happened. */
export function receiveError({ name, message, hint, stack }: SentError): Error {
  const found = CLASSES.find((each) => each.name === name);
  const error = found === undefined ? new Error(message) : new found(message, { hint });
  if (stack !== undefined) error.stack = stack;
  return error;
}
