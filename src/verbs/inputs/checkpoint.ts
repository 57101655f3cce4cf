import { z } from "zod";

import { checkpointSize, type CheckpointSize } from "../../engine/checkpoint-size.ts";
import type { EngineHost, EngineOptions } from "../../engine/engine-host.ts";
import type { Engine } from "../../engine/engine.ts";
import { ENGINES, findEngine } from "../../engine/engines.ts";
import { localFolder } from "../../engine/local-host.ts";
import { PRECISIONS } from "../../engine/precision.ts";
import { DEVICES } from "../../runtime/device.ts";
import { count, nonEmpty } from "../../util/setting-kinds.ts";
import { path } from "../settings/common.ts";
import { tokenSettings } from "../settings/tokens.ts";
import type { Input } from "../verb.ts";

/** On what a checkpoint runs. */
export const engineSettings = z.strictObject({
  kind: z
    .enum(ENGINES.map((host) => host.kind))
    .default(ENGINES[0].kind)
    .meta({
      description: "The engine: local is this process, ray a Ray cluster (docs/cluster.md).",
      flag: "engine",
    }),
  address: nonEmpty
    .optional()
    .describe(
      "Engine ray: the cluster's dashboard, http://HOST:8265. Absent: none, which engine ray refuses.",
    ),
  storage: path.optional().meta({
    description:
      "Engine ray: a folder that this machine and every node see under the same absolute path. Absent: none, which engine ray refuses.",
    placeholder: "DIR",
  }),
  workers: count
    .optional()
    .describe(
      "Engine ray: workers at most, each with a copy of the weights. Absent: as many as the cluster has GPUs, or CPUs, for.",
    ),
  precision: z
    .enum(PRECISIONS)
    .optional()
    .describe(
      "How the weights are held; means are taken in F32, and files say it. Engine local and states alone: INT8, a quarter of the memory, vectors about 2% off at 135M weights; INT4, a sixth, about a third off, for what fits in no other way; W8A8, as small as INT8 and about twice as fast on processors with VNNI, about 5% off, for culprit refine. BF16: engine ray alone. Absent: F32.",
    ),
  training: z
    .enum(["local"])
    .optional()
    .describe(
      "Engine ray: local trains in this process, on the CPU, what the cluster does not train yet. Absent: training is refused.",
    ),
  device: z.enum(DEVICES).default("cpu").describe("Where the arithmetic runs."),
  threads: count
    .max(1024)
    .optional()
    .describe(
      "Threads of the arithmetic (engine ray: of one worker); results depend on it. Absent: one for each core (engine ray: 1).",
    ),
  weights: z
    .enum(["shared", "constant"])
    .optional()
    .describe(
      "shared: one copy of the weights for all graphs. constant: packed into the graph for its matrix kernels, 2 GiB at most. Absent: shared, but packed for sampling where that takes 1 GiB at most.",
    ),
  batchTokens: count
    .optional()
    .describe(
      "Tokens of one batch, at most; less needs less memory. Absent: 1024 (engine ray with cuda: 16384).",
    ),
});

/** How a checkpoint is opened. */
export const checkpointSettings = z.strictObject({
  adapter: path.optional().meta({
    description: "A LoRA adapter (PEFT folder) to merge into the checkpoint. Absent: none.",
    placeholder: "DIR",
  }),
  template: z
    .enum(["chat", "raw"])
    .default("chat")
    .describe(
      "chat: the checkpoint's own chat template. raw: none, the turns joined by newlines, response and end token right behind the prompt, as TRL reads rows of text.",
    ),
  ...tokenSettings.shape,
  ...engineSettings.shape,
});

/** The same where prompts are text alone. */
export const askedSettings = checkpointSettings.omit({ ignoreUnread: true });

/** A checkpoint that can be opened, to ask it or to train it. */
export interface Checkpoint {
  /** As it was named. */
  readonly name: string;
  readonly template: "chat" | "raw";
  /** Whether rows are taken without what nothing reads. */
  readonly ignoresUnread: boolean;
  /** Where it is, and how it is opened. */
  readonly folder: string;
  readonly options: EngineOptions;
  /** Where it runs. */
  readonly host: EngineHost;
  open(): Promise<Engine>;
  /** For estimates of what work on it costs. */
  size(): Promise<CheckpointSize>;
}

/** A checkpoint that is not opened before it is needed. */
export function checkpointAt(host: EngineHost, folder: string, options: EngineOptions): Checkpoint {
  return {
    name: options.name ?? folder,
    template: options.template ?? "chat",
    ignoresUnread: options.ignoreUnread ?? false,
    folder,
    options,
    host,
    open: () => host.open(folder, options),
    size: async () => checkpointSize(await localFolder(folder, options.download ?? {})),
  };
}

/** A checkpoint: a Hugging Face folder, or one of the hub. */
export const checkpointInput = {
  kind: "checkpoint",
  placeholder: "DIR",
  describe:
    "The checkpoint before preference training: a Hugging Face folder, or hf://owner/name@revision.",
  settings: checkpointSettings,
  artifact: "checkpoint",
  open: ([name = ""], { kind, ...options }, { download, engines, warn, note }) =>
    Promise.resolve(
      checkpointAt(findEngine(engines, kind), name, {
        ...options,
        download,
        onWarning: warn,
        onNote: note,
      }),
    ),
} as const satisfies Input<Checkpoint, typeof checkpointSettings>;
