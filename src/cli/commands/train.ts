import { openPairs } from "../../pairs/open-pairs.ts";
import { openSftFiles } from "../../pairs/sft-examples.ts";
import {
  type Adaptation,
  CHECKPOINT_DTYPES,
  type DpoSettings,
  SCHEDULES,
  type SftSettings,
  type TrainRequest,
  type TrainSettings,
} from "../../training/settings.ts";
import type { TrainResult } from "../../training/train-result.ts";
import { trainDpo, trainSft } from "../../training/train.ts";
import { ConfigError } from "../../util/errors.ts";
import type { Command, CommandContext, FlagSpec, ParsedArguments } from "../command.ts";
import { ENGINE_FLAGS, readEngineOptions } from "../engine-flags.ts";
import { expectFlagsOfWay } from "../flag-ways.ts";
import { PAIR_FLAGS, readPairOptions } from "../pair-flags.ts";
import { requiredPositionals, requiredText } from "../required.ts";

const number = (describe: string): FlagSpec => ({ type: "string", value: "N", describe });

export const trainCommand: Command = {
  name: "train",
  summary: "Preference training (DPO) or supervised fine-tuning of a checkpoint",
  positionals: "DATA...",
  description: `
DATA are files of preference pairs; for --method sft also rows {prompt, response}, {messages} or {text}, and of preference pairs
the chosen sides (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

DPO minimises -log sigmoid(beta * [(log p(chosen) - log p0(chosen)) - (log p(rejected) - log p0(rejected))]), p0 being the start
checkpoint, whose log-probabilities are computed once and kept by content. SFT minimises the cross-entropy of the response tokens.

--out is a checkpoint folder afterwards (with --lora a PEFT adapter) and has metrics.jsonl, one line a step, and train.json. An
interrupted run goes on when the same command is given again, and ends in the same bytes as one that was not.

  culprit train pairs.jsonl --checkpoint ./sft --out ./dpo --learning-rate 1e-6 --beta 5 --length-normalized
  culprit train pairs.jsonl --checkpoint ./sft --out ./adapter --learning-rate 1e-4 --lora
  culprit train chat.jsonl --method sft --checkpoint ./base --out ./sft --learning-rate 1e-5`,
  flags: {
    ...ENGINE_FLAGS,
    weights: {
      type: "string",
      value: "KIND",
      describe:
        "shared (default); training changes the weights in place, so nothing else is possible.",
    },
    out: { type: "string", value: "DIR", describe: "The run's folder." },
    method: { type: "string", value: "NAME", describe: "dpo (default) or sft." },
    "learning-rate": number("The highest learning rate, reached after warm-up."),
    beta: number("DPO's beta. Default: 0.1, or 5 with --length-normalized."),
    "length-normalized": {
      type: "boolean",
      describe: "DPO: divide each log-probability by its token count.",
    },
    "label-smoothing": number("DPO: share of pairs taken to be the wrong way round. Default: 0."),
    "loss-on": {
      type: "string",
      value: "WHAT",
      describe: "SFT: response (default), or all tokens; plain text has its loss on all.",
    },
    lora: { type: "boolean", describe: "Train a LoRA adapter instead of all weights." },
    rank: number("LoRA: rank of the factors. Default: 16."),
    alpha: number("LoRA: the factors' product is scaled by alpha / rank. Default: twice the rank."),
    targets: {
      type: "string",
      value: "NAMES",
      multiple: true,
      describe: "LoRA: linear layers, comma-separated: q_proj,v_proj. Default: all of the blocks.",
    },
    schedule: {
      type: "string",
      value: "NAME",
      describe: `Learning rate after warm-up: ${SCHEDULES.join(", ")}. Default: linear, to 0.`,
    },
    "warmup-ratio": number("Share of the steps in which the learning rate rises. Default: 0.1."),
    "warmup-steps": number("The same as a number of steps; default: as --warmup-ratio says."),
    epochs: number("Passes over the data. Default: 1."),
    "max-steps": number("Steps at most; the schedule ends there. Default: all of the epochs."),
    "batch-size": number("Examples of one optimiser step. Default: 32."),
    "max-tokens": number(
      "Prompt and response together, in tokens; longer responses are cut at the end. Default: 2048, or the checkpoint's positions.",
    ),
    "weight-decay": number("Decoupled, not on norms and biases. Default: 0."),
    "max-grad-norm": number("Longer gradients are shortened to this norm; 0: never. Default: 1."),
    seed: number("Order of the examples and start of LoRA's factors. Default: 0."),
    dtype: {
      type: "string",
      value: "TYPE",
      describe: `Of the written weights: ${CHECKPOINT_DTYPES.join(", ")}. Default: f32.`,
    },
    "save-every": number("Steps between checkpoints on the way, DIR/checkpoint-N. Default: none."),
    "keep-checkpoints": number("How many of these stay, the latest. Default: all."),
    "state-every": number(
      "Steps between states to resume from. Default: as often as costs 1% of the time.",
    ),
    "reference-cache": {
      type: "string",
      value: "DIR",
      describe:
        "Where DPO's reference log-probabilities are kept by content; runs over edited data can share it. Default: in --out.",
    },
    force: { type: "boolean", describe: "Replace another run in --out." },
    ...PAIR_FLAGS,
  },
  run,
};

const DPO_FLAGS = ["beta", "label-smoothing", "length-normalized", "reference-cache"];

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const patterns = requiredPositionals(args, "train", "files of preference pairs or examples");
  const method = args.choice("method", ["dpo", "sft"]) ?? "dpo";
  expectFlagsOfWay(args, [
    { name: "--method dpo", isOn: method === "dpo", flags: DPO_FLAGS },
    { name: "--method sft", isOn: method === "sft", flags: ["loss-on"] },
  ]);
  expectFlagsOfWay(args, [
    { name: "--lora", isOn: args.has("lora"), flags: ["rank", "alpha", "targets"] },
  ]);
  const request = readRequest(args, context);
  if (request.engine?.weights === "constant") {
    throw new ConfigError("--weights: expected shared, got constant", {
      hint: "Training changes the weights in place.",
    });
  }
  const settings = readSettings(args);
  const dpo = method === "dpo" ? readDpo(args, settings) : undefined;
  const sft = method === "sft" ? readSft(args, settings) : undefined;
  const pairOptions = readPairOptions(args, context);
  const result =
    dpo !== undefined
      ? await trainDpo(await openPairs(patterns, pairOptions), dpo, request)
      : await trainSft(await openSftFiles(patterns, pairOptions), sft!, request); // one of the two
  if (result.unusable > 0) {
    context.warn(`${result.unusable} rows cannot be used, see ${result.checkpoint}/unusable.jsonl`);
  }
  context.print(args.has("json") ? JSON.stringify(result, undefined, 2) : formatResult(result));
}

function readRequest(args: ParsedArguments, context: CommandContext): TrainRequest {
  const optional = {
    dtype: args.choice("dtype", CHECKPOINT_DTYPES),
    saveEvery: args.integer("save-every", { min: 1 }),
    keep: args.integer("keep-checkpoints", { min: 1 }),
    stateEvery: args.integer("state-every", { min: 1 }),
    referenceCache: args.text("reference-cache"),
  };
  return {
    checkpoint: requiredText(args, "train", "checkpoint"),
    out: requiredText(args, "train", "out"),
    engine: readEngineOptions(args, context),
    force: args.has("force"),
    ...present(optional),
    signal: context.signal,
    progress: context.progress("train", "steps"),
  };
}

function readSettings(args: ParsedArguments): TrainSettings {
  requiredText(args, "train", "learning-rate");
  const optional = {
    schedule: args.choice("schedule", SCHEDULES),
    warmupRatio: args.number("warmup-ratio"),
    warmupSteps: args.integer("warmup-steps"),
    epochs: args.integer("epochs"),
    maxSteps: args.integer("max-steps"),
    batchSize: args.integer("batch-size"),
    maxTokens: args.integer("max-tokens"),
    weightDecay: args.number("weight-decay"),
    maxGradNorm: args.number("max-grad-norm"),
    seed: args.integer("seed"),
  };
  return {
    learningRate: args.number("learning-rate")!, // given, see above
    adaptation: readAdaptation(args),
    ...present(optional),
  };
}

function readAdaptation(args: ParsedArguments): Adaptation {
  const targets = args.list("targets");
  const optional = { rank: args.integer("rank"), alpha: args.number("alpha") };
  if (args.has("lora")) {
    return { kind: "lora", ...present(optional), ...(targets.length > 0 ? { targets } : {}) };
  }
  return { kind: "full" };
}

function readDpo(args: ParsedArguments, settings: TrainSettings): DpoSettings {
  const optional = {
    beta: args.number("beta"),
    labelSmoothing: args.number("label-smoothing"),
  };
  return { ...settings, lengthNormalized: args.has("length-normalized"), ...present(optional) };
}

function readSft(args: ParsedArguments, settings: TrainSettings): SftSettings {
  const lossOn = args.choice("loss-on", ["response", "all"]);
  return { ...settings, lossOn };
}

/** The members that are there; absent, not undefined. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  }; // entries of the same object
}

function formatResult(result: TrainResult): string {
  const { checkpoint, steps, examples, seconds, tokens, flops, final } = result;
  const shown = ["loss", "accuracy", "margin", "chosenLogprob", "rejectedLogprob"].flatMap((name) =>
    final[name] === undefined ? [] : [`${name} ${final[name].toFixed(4)}`],
  );
  return [
    `${checkpoint}: ${steps} steps over ${examples} examples in ${seconds.toFixed(1)} s`,
    `last tenth: ${shown.join(", ")}`,
    `${tokens} tokens, ${(flops / 1e12).toFixed(3)} TFLOP; metrics in ${checkpoint}/metrics.jsonl`,
  ].join("\n");
}
