import type { EngineOptions } from "../engine/engine-host.ts";
import { DEVICES } from "../runtime/device.ts";
import type { CommandContext, FlagSpec, ParsedArguments } from "./command.ts";

/** Flags of every command that runs a checkpoint. */
export const MODEL_FLAGS = {
  checkpoint: {
    type: "string",
    value: "DIR",
    describe:
      "The checkpoint before preference training: a Hugging Face folder, or hf://owner/name@revision.",
  },
  adapter: {
    type: "string",
    value: "DIR",
    describe: "A LoRA adapter (PEFT folder) to merge into it; default: none.",
  },
  template: {
    type: "string",
    value: "KIND",
    describe:
      "chat: the checkpoint's own chat template (default). raw: the turns joined by newlines, as in the paper's code.",
  },
  device: {
    type: "string",
    value: "NAME",
    describe: `Where the arithmetic runs: ${DEVICES.join(", ")}. Default: cpu.`,
  },
  threads: {
    type: "string",
    value: "N",
    describe: "Threads of the arithmetic. Default: one for each core.",
  },
  weights: {
    type: "string",
    value: "KIND",
    describe:
      "shared: one copy of the weights for all graphs (default). constant: packed into the graph for its matrix kernels, 2 GiB at most.",
  },
} as const satisfies Record<string, FlagSpec>;

/** Flags of the commands that run texts as they are. */
export const ENGINE_FLAGS = {
  ...MODEL_FLAGS,
  "batch-tokens": {
    type: "string",
    value: "N",
    describe: "Tokens of one batch, at most; less needs less memory. Default: 1024.",
  },
} as const satisfies Record<string, FlagSpec>;

/** The values of ENGINE_FLAGS but for the checkpoint's name. */
export function readEngineOptions(args: ParsedArguments, context: CommandContext): EngineOptions {
  const batchTokens = args.integer("batch-tokens", { min: 1 });
  return {
    ...readModelOptions(args, context),
    batchTokens,
  };
}

/** The values of MODEL_FLAGS but for the checkpoint's name. */
export function readModelOptions(args: ParsedArguments, context: CommandContext): EngineOptions {
  const values = {
    adapter: args.text("adapter"),
    template: args.choice("template", ["chat", "raw"]),
    device: args.choice("device", DEVICES),
    threads: args.integer("threads", { min: 1, max: 1024 }),
    weights: args.choice("weights", ["shared", "constant"]),
  };
  return {
    ...(Object.fromEntries(
      Object.entries(values).filter(([, value]) => value !== undefined),
    ) as EngineOptions), // absent, not undefined
    download: { signal: context.signal, progress: context.progress("download", "bytes") },
  };
}
