import { readRolloutPrompts } from "../rollouts/rollout-prompts.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { ConfigError } from "../util/errors.ts";
import { printable } from "../util/text-table.ts";
import { describeUnknownKeys } from "../verbs/inputs/prompts.ts";
import type { CommandContext, FlagSpec, ParsedArguments } from "./command.ts";

const DEFAULT_MAX_NEW_TOKENS = 256;
const DEFAULT_BATCH = 32;

/** Flags that say which prompts of a file are sampled. */
export const PROMPT_FLAGS = {
  variants: {
    type: "string",
    value: "NAMES",
    multiple: true,
    describe:
      "Variants of a scenarios file, such as base,base+distractor. Default: those that all scenarios have.",
  },
  limit: { type: "string", value: "N", describe: "The first N prompts only; default: all." },
} as const satisfies Record<string, FlagSpec>;

/** The prompts that PROMPT_FLAGS name; warns of variants that only some scenarios have, since those are not sampled. */
export async function readPrompts(
  args: ParsedArguments,
  path: string,
  context: CommandContext,
): Promise<readonly ScenarioPrompt[]> {
  const variants = args.list("variants");
  const limit = args.integer("limit", { min: 1 });
  const read = await readRolloutPrompts(path, variants.length === 0 ? {} : { variants });
  for (const { variant, lacking, first } of read.omitted) {
    context.warn(
      `${path}: the variant "${printable(variant)}" is not sampled, since ${lacking} ${lacking === 1 ? "scenario has" : "scenarios have"} none of it, "${printable(first)}" first; give them one, or name with --variants what to sample`,
    );
  }
  for (const line of describeUnknownKeys(path, read.unknownKeys)) context.warn(line);
  return read.prompts.slice(0, limit);
}

/** Flags of every command that samples responses. */
export const SAMPLING_FLAGS = {
  samples: { type: "string", value: "N", describe: "Samples of each prompt. Default: 1." },
  temperature: {
    type: "string",
    value: "T",
    describe: "0: the likeliest token each time. Default: 1.",
  },
  "top-k": {
    type: "string",
    value: "K",
    describe: "Sample from the K likeliest tokens only. Default: all.",
  },
  "top-p": {
    type: "string",
    value: "P",
    describe:
      "Sample from the likeliest tokens that hold a share P of the probability. Default: 1.",
  },
  "max-new-tokens": {
    type: "string",
    value: "N",
    describe: `Tokens of a sample at most. Default: ${DEFAULT_MAX_NEW_TOKENS}.`,
  },
  stop: {
    type: "string",
    value: "TOKEN",
    multiple: true,
    describe:
      "One more token that ends a sample, as the tokenizer spells it; repeatable, default: none.",
  },
  seed: { type: "string", value: "N", describe: "Seed of the samples. Default: 0." },
  batch: {
    type: "string",
    value: "N",
    describe: `Samples that run side by side, at most; less needs less memory. Default: ${DEFAULT_BATCH}.`,
  },
} as const satisfies Record<string, FlagSpec>;

/** How to sample, as the flags say. */
export interface Sampling {
  readonly samples: number;
  readonly temperature: number;
  readonly topK?: number | undefined;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number;
  readonly batch: number;
}

/** The values of SAMPLING_FLAGS but for `--stop`, which takes a checkpoint to read. */
export function readSampling(args: ParsedArguments): Sampling {
  const temperature = args.number("temperature", { min: 0 }) ?? 1;
  const topK = args.integer("top-k", { min: 1 });
  const topP = args.number("top-p", { min: 0, max: 1 }) ?? 1;
  if (topP === 0) throw new ConfigError("--top-p: expected a number above 0 and at most 1, got 0");
  if (temperature === 0 && (topK !== undefined || topP < 1)) {
    throw new ConfigError(
      "--temperature 0 takes the likeliest token: --top-k and --top-p mean nothing beside it",
      { hint: "Leave them out, or give a temperature above 0." },
    );
  }
  return {
    samples: args.integer("samples", { min: 1, max: 1_000_000 }) ?? 1,
    temperature,
    topK,
    topP,
    maxTokens: args.integer("max-new-tokens", { min: 1 }) ?? DEFAULT_MAX_NEW_TOKENS,
    seed: args.integer("seed", { min: 0 }) ?? 0,
    batch: args.integer("batch", { min: 1, max: 4096 }) ?? DEFAULT_BATCH,
  };
}
