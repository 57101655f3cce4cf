import { z } from "zod";

import { ConfigError, UnsupportedError } from "../util/errors.ts";

/** What merging an adapter needs of its adapter_config.json. */
export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  /** Scale by α/√r instead of α/r (Kalajdzievski 2023). */
  readonly isRankStabilised: boolean;
  /** Weights are stored [in, out] as in GPT-2's Conv1D. */
  readonly isFanInFanOut: boolean;
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly alphaPattern: Readonly<Record<string, number>>;
}

const positive = z.number().positive();
const absent = z.union([
  z.null(),
  z.literal(false),
  z.array(z.unknown()).max(0),
  z.strictObject({}),
]);

/** Every key that changes what is merged; each other one at the values at which it does not. */
const SCHEMA = z.object({
  peft_type: z.literal("LORA"),
  r: z.number().int().positive(),
  lora_alpha: positive,
  use_rslora: z.boolean().nullish(),
  fan_in_fan_out: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), positive).nullish(),
  bias: z.literal("none").nullish(),
  use_dora: absent.optional(),
  lora_bias: absent.optional(),
  alora_invocation_tokens: absent.optional(),
  megatron_config: absent.optional(),
  layer_replication: absent.optional(),
  trainable_token_indices: absent.optional(),
  target_parameters: absent.optional(),
  use_qalora: absent.optional(),
  use_bdlora: absent.optional(),
  arrow_config: absent.optional(),
  // Other initialisations (PiSSA, OLoRA, CorDA, LoftQ) change the base weights as well.
  init_lora_weights: z.union([z.boolean(), z.enum(["gaussian", "eva", "orthogonal"])]).nullish(),
  loftq_config: absent.optional(),
  corda_config: absent.optional(),
  eva_config: z.unknown().optional(),
  modules_to_save: z.array(z.string()).nullish(),
  exclude_modules: z.unknown().optional(),
});

/** Keys that say how the adapter was trained or initialised, and change nothing once it is trained. */
const INERT_KEYS = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "ensure_weight_tying",
  "inference_mode",
  "layers_pattern",
  "layers_to_transform",
  "lora_dropout",
  "lora_ga_config",
  "megatron_core",
  "peft_version",
  "qalora_group_size",
  "revision",
  "runtime_config",
  "target_modules",
  "task_type",
]);

/** Reads adapter_config.json; throws UnsupportedError naming a key that would change the merged weights and is not read. */
export function readLoraConfig(config: unknown, where: string): LoraConfig {
  const active =
    typeof config === "object" && config !== null
      ? Object.fromEntries(Object.entries(config).filter(([key]) => !INERT_KEYS.has(key)))
      : config;
  const type = z.object({ peft_type: z.string() }).safeParse(active);
  if (!type.success) {
    throw new ConfigError(`${where}: expected a "peft_type"`, {
      hint: "Point at a PEFT adapter folder.",
    });
  }
  const result = SCHEMA.strict().safeParse(active);
  if (!result.success) {
    const issue = result.error.issues[0]!; // a failed parse has at least one
    const what =
      issue.code === "unrecognized_keys"
        ? `"${issue.keys.join('", "')}" is not read and might change the weights`
        : `"${issue.path.join(".")}": ${issue.message}`;
    throw new UnsupportedError(`${where}: ${what}`, {
      hint: "Merge the adapter with peft (merge_and_unload) and save the whole checkpoint.",
    });
  }
  const raw = result.data;
  return {
    rank: raw.r,
    alpha: raw.lora_alpha,
    isRankStabilised: raw.use_rslora ?? false,
    isFanInFanOut: raw.fan_in_fan_out ?? false,
    rankPattern: raw.rank_pattern ?? {},
    alphaPattern: raw.alpha_pattern ?? {},
  };
}
