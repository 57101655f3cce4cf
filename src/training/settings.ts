/** @file What a training run is told. Every field that changes the result is here; where it runs and writes is in TrainRequest. */
import type { EngineHost, EngineOptions } from "../engine/engine-host.ts";
import type { WeightDtype } from "../engine/trainer.ts";
import type { JobOptions } from "../util/progress.ts";

/** How the learning rate runs over the steps, after warm-up; transformers' formulas. */
export const SCHEDULES = ["linear", "cosine", "constant"] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** What of the checkpoint is trained: every weight, or low-rank factors beside the linear layers (Hu et al. 2021). */
export type Adaptation =
  | { readonly kind: "full" }
  | {
      readonly kind: "lora";
      /** Default 16. */
      readonly rank?: number | undefined;
      /** The factors' product is scaled by alpha / rank. Default: twice the rank. */
      readonly alpha?: number | undefined;
      /** Ends of module paths, `q_proj` say. Default: every linear layer of the blocks. */
      readonly targets?: readonly string[] | undefined;
    };

/** What every method takes. */
export interface TrainSettings {
  /** Default: full. */
  readonly adaptation?: Adaptation | undefined;
  /** The highest, reached after warm-up. */
  readonly learningRate: number;
  /** Default "linear", to 0 at the last step. */
  readonly schedule?: Schedule | undefined;
  /** Share of all steps in which the rate rises from 0. Default 0.1. */
  readonly warmupRatio?: number | undefined;
  /** The same as a number of steps; goes before the share. */
  readonly warmupSteps?: number | undefined;
  /** Default 1. */
  readonly epochs?: number | undefined;
  /** Ends the run early, the schedule with it; default: as many steps as the epochs have. */
  readonly maxSteps?: number | undefined;
  /** Examples (pairs, for DPO) of one optimiser step, however many runs of the graph they take. Default 32. */
  readonly batchSize?: number | undefined;
  /** Tokens of prompt and response together; longer responses are cut at the end. Default: 2048 or the checkpoint's positions. */
  readonly maxTokens?: number | undefined;
  /** Decoupled; norms and biases are left out. Default 0. */
  readonly weightDecay?: number | undefined;
  /** Longer gradients are shortened to this norm. Default 1; 0 leaves them. */
  readonly maxGradNorm?: number | undefined;
  /** AdamW's. Defaults 0.9, 0.999, 1e-8. */
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly epsilon?: number | undefined;
  /** Order of the examples and start of LoRA's factors. Default 0. */
  readonly seed?: number | undefined;
  /** Default true; false takes the examples in the order given. */
  readonly shuffle?: boolean | undefined;
}

/** Direct preference optimisation (Rafailov et al. 2023); the formula is in docs/how-to-train.md. */
export interface DpoSettings extends TrainSettings {
  /** Default 0.1, or 5 where length-normalised. */
  readonly beta?: number | undefined;
  /** Divides each log-probability by its token count, as OLMo 2 does. Default false. */
  readonly lengthNormalized?: boolean | undefined;
  /** Share of pairs taken to be the wrong way round (conservative DPO). Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/** Supervised fine-tuning: cross-entropy, the mean over all tokens of a step that carry loss. */
export interface SftSettings extends TrainSettings {
  /** "response" (default): tokens of the response. "all": every token but the first; plain text has this in any case. */
  readonly lossOn?: "response" | "all" | undefined;
}

/** Element types of written checkpoints. */
export const CHECKPOINT_DTYPES = ["F32", "BF16", "F16"] as const satisfies readonly WeightDtype[];
export type CheckpointDtype = (typeof CHECKPOINT_DTYPES)[number];

/** Where a run starts from and what it leaves behind. */
export interface TrainRequest extends JobOptions {
  /** The start: a Hugging Face folder, or hf://owner/name@revision. */
  readonly checkpoint: string;
  /** Folder of the run: the final checkpoint (or PEFT adapter), metrics.jsonl and train.json; made where it is not there. */
  readonly out: string;
  /** Where it is trained. Default: on this machine. */
  readonly host?: EngineHost | undefined;
  /** `adapter` is merged before training; `weights` is not heeded. `batchTokens` bounds one run of the graph. */
  readonly engine?: EngineOptions | undefined;
  /** Of the written weights. Default "F32". */
  readonly dtype?: CheckpointDtype | undefined;
  /** Steps between checkpoints on the way, `out`/checkpoint-<step>. Default: none. */
  readonly saveEvery?: number | undefined;
  /** How many of these stay. Default: all. */
  readonly keep?: number | undefined;
  /** Steps between states to resume from. Default: as often as costs at most 1% of the time. */
  readonly stateEvery?: number | undefined;
  /** Folder in which reference log-probabilities are kept by content. Default: `out`/reference-cache. */
  readonly referenceCache?: string | undefined;
  /** Replaces another run in `out`. Default false: refused. */
  readonly force?: boolean | undefined;
}
