import { ConfigError } from "../../util/errors.ts";
import type { JobOptions } from "../../util/progress.ts";
import type { Amplification } from "./amplification.ts";
import type { Steering } from "./steering.ts";

/** How responses are sampled. */
export interface GenerateOptions extends JobOptions {
  /** Samples of each prompt. Default 1. */
  readonly samples?: number | undefined;
  /** Tokens of a sample at most, the stop token included. Default 256. */
  readonly maxTokens?: number | undefined;
  /** Logits are divided by it; 0 takes the likeliest token each time. Default 1. */
  readonly temperature?: number | undefined;
  /** Sample from the k likeliest tokens only. Default: all. */
  readonly topK?: number | undefined;
  /** Sample from the likeliest tokens whose probabilities first reach p only. Default 1: all. */
  readonly topP?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Tokens that end a sample. Default: those that the checkpoint names. */
  readonly stopTokens?: readonly number[] | undefined;
  /** Samples that run side by side at most; changes speed only. Default 32. */
  readonly batch?: number | undefined;
  /** First sample number, for more samples of the same prompts later. Default 0. */
  readonly firstSample?: number | undefined;
  /** The same for each prompt, in place of `firstSample`. */
  readonly firstSamples?: readonly number[] | undefined;
  /** Changes the residual stream while sampling. Default: none. */
  readonly steering?: Steering | undefined;
  /** Samples from logits_after + α(logits_after − logits_before). Default: from this engine's own logits. */
  readonly amplify?: Amplification | undefined;
  /** Counts the work done. */
  readonly counter?: GenerationCounter | undefined;
}

/** One finished sample. */
export interface GeneratedSample {
  /** Index into the prompts. */
  readonly prompt: number;
  readonly sample: number;
  /** The sampled tokens, a stop token included. */
  readonly tokens: Int32Array;
  /** `stop`: by a stop token; `length`: by `maxTokens` or the end of the context. */
  readonly finish: "stop" | "length";
}

/** Work done so far, for the cost ledger; padding is not counted. */
export interface GenerationCounter {
  /** Prompt tokens run; a prompt counts once however many samples it has. */
  promptTokens: number;
  sampledTokens: number;
  /** Floating-point operations: two for each multiply-add. */
  flops: number;
}

/** A counter at zero. */
export const newGenerationCounter = (): GenerationCounter => ({
  promptTokens: 0,
  sampledTokens: 0,
  flops: 0,
});

/** Options with every default filled in. */
export interface GenerateSettings {
  readonly samples: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number | undefined;
  readonly topP: number;
  readonly seed: number;
  readonly batch: number;
  readonly firstSample: number;
}

/** Fills in the defaults. Throws ConfigError naming an option that is out of range. */
export function generateSettings(options: GenerateOptions): GenerateSettings {
  const whole = (name: string, value: number, least: number): number => {
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new ConfigError(`${name}: expected a whole number of at least ${least}, got ${value}`);
  };
  const { temperature = 1, topP = 1, topK } = options;
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    throw new ConfigError(
      `temperature: expected 0 (greedy) or a positive number, got ${temperature}`,
    );
  }
  if (!(topP > 0 && topP <= 1)) {
    throw new ConfigError(`topP: expected a number above 0 and at most 1, got ${topP}`);
  }
  return {
    samples: whole("samples", options.samples ?? 1, 1),
    maxTokens: whole("maxTokens", options.maxTokens ?? 256, 1),
    temperature,
    topK: topK === undefined ? undefined : whole("topK", topK, 1),
    topP,
    seed: whole("seed", options.seed ?? 0, 0),
    batch: whole("batch", options.batch ?? 32, 1),
    firstSample: whole("firstSample", options.firstSample ?? 0, 0),
  };
}
