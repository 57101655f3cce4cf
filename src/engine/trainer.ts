/** @file Training over one checkpoint, as the rest of the program sees it: steps in, weights and state out. */
import type { Message, RowContext } from "../format/messages.ts";
import type { JobOptions } from "../util/progress.ts";
import type { EngineIdentity, ExampleLogprobs, TokenizedExample } from "./engine.ts";

/** What is minimised. */
export type Objective =
  | {
      readonly kind: "dpo";
      readonly beta: number;
      readonly lengthNormalized: boolean;
      readonly labelSmoothing: number;
    }
  /** Cross-entropy of the response, the mean over all response tokens of a step. */
  | { readonly kind: "sft" };

export interface TrainerSettings {
  readonly objective: Objective;
  readonly adaptation:
    | { readonly kind: "full" }
    | {
        readonly kind: "lora";
        readonly rank: number;
        readonly alpha: number;
        /** null: every linear layer of the blocks. */
        readonly targets: readonly string[] | null;
      };
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0: gradients stay as they are. */
  readonly maxGradNorm: number;
  /** For the start of LoRA's factors. */
  readonly seed: number;
}

/** An example of a step. DPO: the responses are chosen and rejected. SFT: one response. */
export interface StepExample extends TokenizedExample {
  /** The responses' log-probabilities under the reference; DPO only. */
  readonly reference?: readonly number[] | undefined;
}

/** What a step found before it changed the weights. */
export interface StepResult {
  /** The step's loss; where it is not finite, nothing was changed. */
  readonly loss: number;
  /** Sum of the log-probabilities of each response's tokens, in nats, by example. */
  readonly logprobs: readonly (readonly number[])[];
  /** √Σ g², before clipping; not finite where the loss is. */
  readonly gradientNorm: number;
  readonly tokens: number;
  readonly flops: number;
}

/** Element type of written weights. */
export type WeightDtype = "F32" | "BF16" | "F16";

/** A checkpoint in training. Holds weights, moments and gradients: dispose of it when done. */
export interface Trainer extends AsyncDisposable {
  /** Of the start checkpoint. */
  readonly identity: EngineIdentity;
  /** Numbers that training changes. */
  readonly trainedNumbers: number;
  /** Optimiser steps taken. */
  readonly steps: number;
  /** As Engine.tokenize. */
  tokenize(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
    context?: RowContext,
  ): TokenizedExample;
  /** As Engine.tokenizeText. */
  tokenizeText(text: string): Int32Array;
  /**
   * Log-probabilities under the start checkpoint, as Engine.logprobs gives them. Where all weights are trained, only before the first
   * step.
   */
  startLogprobs(
    examples: readonly TokenizedExample[],
    options?: JobOptions,
  ): AsyncIterable<ExampleLogprobs>;
  /**
   * One optimiser step over all examples. How they are split into runs of the graph changes rounding only. A loss or gradient that is
   * not finite is returned and nothing is changed.
   */
  step(examples: readonly StepExample[], learningRate: number): Promise<StepResult>;
  /** Writes a Hugging Face folder (full) or a PEFT adapter folder (LoRA) into an existing folder; each file whole or not at all. */
  save(dir: string, dtype: WeightDtype): Promise<void>;
  /**
   * Writes everything that later steps depend on (trained weights, both moments, steps taken) into an existing folder, whole or not at
   * all, with `metadata` beside it.
   */
  saveState(dir: string, metadata: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Goes on from a state in a folder: the same steps then give the same bytes as without the interruption. Gives back its metadata;
   * undefined where there is none. Throws FormatError where it is the state of another run.
   */
  loadState(dir: string): Promise<Readonly<Record<string, string>> | undefined>;
}
