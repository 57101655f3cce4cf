import { z } from "zod";

import { FormatError, UnsupportedError } from "../util/errors.ts";

/** What a PEFT `adapter_config.json` says about merging. */
export interface LoraConfig {
  /** Factor of B·A for the module at a path such as `model.layers.0.self_attn.q_proj`, and the rank that it is meant for. */
  scaling(modulePath: string): { readonly rank: number; readonly scale: number };
  /** Whether this module ought to have adapter tensors; undefined where the config does not list them plainly. */
  isTarget(modulePath: string): boolean | undefined;
  /** target_modules; undefined where it names none, or by a pattern that is Python's alone. */
  readonly targets: LoraTargets | undefined;
  /** Whether the adapter ought to replace this module's weights as a whole. */
  isSaved(modulePath: string): boolean;
  /** The rows of this module's table that single tokens get, in the order of the tensor; undefined where there are none. */
  tokenRows(modulePath: string): readonly number[] | undefined;
  /** Whether any module has such rows. */
  readonly hasTokenRows: boolean;
  /** The adapted weights are stored [in, out]. */
  readonly isTransposed: boolean;
  /** DoRA: every pair of factors has a magnitude vector. */
  readonly hasMagnitudes: boolean;
  /** Every pair of factors has a bias. */
  readonly hasBiases: boolean;
}

/** What target_modules looks for. */
export interface LoraTargets {
  /** As the config has it, for errors. */
  readonly named: string;
  /** Whether it means the module at a path, whatever exclude_modules and layers_to_transform take from it. */
  matches(modulePath: string): boolean;
}

const nonEmpty = z.string().min(1);
const SHAPE = z.looseObject({
  peft_type: nonEmpty,
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().default(false),
  rank_pattern: z.record(nonEmpty, z.int().positive()).nullish(),
  alpha_pattern: z.record(nonEmpty, z.number()).nullish(),
  fan_in_fan_out: z.boolean().default(false),
  bias: z.string().default("none"),
  use_dora: z.boolean().default(false),
  lora_bias: z.boolean().default(false),
  trainable_token_indices: z
    .union([z.array(z.int().nonnegative()), z.record(nonEmpty, z.array(z.int().nonnegative()))])
    .nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
  target_modules: z.union([z.string(), z.array(nonEmpty)]).nullish(),
  ensure_weight_tying: z.boolean().nullish(),
  exclude_modules: z.union([z.string(), z.array(nonEmpty)]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
  layers_pattern: z.union([z.string(), z.array(nonEmpty)]).nullish(),
  modules_to_save: z.array(nonEmpty).nullish(),
});
type RawConfig = z.infer<typeof SHAPE>;

/** Keys that say where the adapter came from or how it was trained: merging does not depend on them. */
const IRRELEVANT: ReadonlySet<string> = new Set([
  "task_type",
  "auto_mapping",
  "peft_version",
  "base_model_name_or_path",
  "revision",
  "inference_mode",
  "lora_dropout",
  "megatron_core",
  "eva_config",
  "qalora_group_size",
  "runtime_config",
]);
/** Which biases were trained beside the factors; they stand in the file as they are. */
const TRAINED_BIASES: ReadonlySet<string> = new Set(["none", "all", "lora_only"]);
/** Ways to start that leave the base weights alone; the others (PiSSA, OLoRA, CorDA, LoftQ …) subtract from them first. */
const PLAIN_STARTS: ReadonlySet<unknown> = new Set([
  undefined,
  null,
  true,
  false,
  "gaussian",
  "eva",
  "orthogonal",
]);

/**
 * Checks a parsed `adapter_config.json`; `where` is its path. Throws FormatError on wrong types, UnsupportedError naming the key
 * for everything set that would change the merged weights and is not handled here.
 */
export function parseLoraConfig(json: unknown, where: string): LoraConfig {
  // Before the rest: other kinds give the same names other meanings.
  const kind = z.looseObject({ peft_type: nonEmpty }).safeParse(json).data?.peft_type;
  if (kind !== undefined && kind !== "LORA") throw otherKind(where, kind);
  const parsed = SHAPE.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`${where}: ${issue?.path.join(".") ?? ""}: ${issue?.message}`, {
      hint: "Check that this is the adapter_config.json of a PEFT LoRA adapter.",
    });
  }
  const raw = parsed.data;
  checkSupported(raw, where);
  const rankOf = patternLookup(raw.rank_pattern ?? {}, `${where}: rank_pattern`);
  const alphaOf = patternLookup(raw.alpha_pattern ?? {}, `${where}: alpha_pattern`);
  return {
    scaling(modulePath) {
      const rank = rankOf(modulePath) ?? raw.r;
      const alpha = alphaOf(modulePath) ?? raw.lora_alpha;
      return { rank, scale: alpha / (raw.use_rslora ? Math.sqrt(rank) : rank) };
    },
    isTarget: targetTest(raw),
    targets: targetsOf(raw),
    isSaved: (modulePath) => isListed(raw.modules_to_save ?? [], modulePath),
    tokenRows: (modulePath) => tokenRows(raw, modulePath),
    hasTokenRows: !isUnset(raw.trainable_token_indices),
    isTransposed: raw.fan_in_fan_out,
    hasMagnitudes: raw.use_dora,
    hasBiases: raw.lora_bias,
  };
}

function checkSupported(raw: RawConfig, where: string): void {
  if (!TRAINED_BIASES.has(raw.bias)) throw unsupported(where, "bias", raw.bias);
  if (!PLAIN_STARTS.has(raw.init_lora_weights)) {
    throw unsupported(where, "init_lora_weights", raw.init_lora_weights);
  }
  for (const [key, value] of Object.entries(raw)) {
    const isKnown = Object.hasOwn(SHAPE.shape, key) || IRRELEVANT.has(key);
    if (!isKnown && !isUnset(value)) throw unsupported(where, key, value);
  }
}

/** A list without a module's name is for the embedding. */
function tokenRows(
  { trainable_token_indices: indices }: RawConfig,
  modulePath: string,
): readonly number[] | undefined {
  if (indices === null || indices === undefined) return undefined;
  if (Array.isArray(indices)) return indices;
  return Object.entries(indices).find(([module]) => isListed([module], modulePath))?.[1];
}

/** Every switch of PEFT is off when null, false or empty; so an unknown key with such a value is off as well. */
function isUnset(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === "";
}

/** As PEFT does: the first pattern that fits the whole path, or its end after a dot. */
function patternLookup(
  patterns: Readonly<Record<string, number>>,
  where: string,
): (modulePath: string) => number | undefined {
  const rules = Object.entries(patterns).map(([pattern, value]) => {
    try {
      return { value, test: new RegExp(`^(?:.*\\.)?(?:${pattern})$`) };
    } catch (cause) {
      throw new UnsupportedError(`${where}: "${pattern}" is no regular expression here`, {
        hint: "Write the module's path in full instead.",
        cause,
      });
    }
  });
  return (modulePath) => rules.find(({ test }) => test.test(modulePath))?.value;
}

function targetTest(raw: RawConfig): (modulePath: string) => boolean | undefined {
  const { target_modules: targets } = raw;
  const isTaken = exclusionTest(raw);
  const isOfLayer = layerTest(raw);
  // Of a tied head and embedding, the one that is not named is adapted too.
  const other = raw.ensure_weight_tying === true ? undefined : false;
  return (modulePath) => {
    const isTakenOut = isTaken(modulePath);
    if (isTakenOut !== false) return isTakenOut === true ? false : undefined;
    if (!isOfLayer(modulePath)) return false;
    if (!Array.isArray(targets)) return undefined;
    return isListed(targets, modulePath) || other;
  };
}

/** Whether exclude_modules names a module; undefined where it is a pattern that cannot be read here. */
function exclusionTest({
  exclude_modules: excluded,
}: RawConfig): (modulePath: string) => boolean | undefined {
  if (isUnset(excluded)) return () => false;
  if (Array.isArray(excluded)) return (modulePath) => isListed(excluded, modulePath);
  const pattern = wholePattern(excluded as string); // set, and no list
  return (modulePath) => pattern?.test(modulePath);
}

/** Whether a module stands in one of layers_to_transform, of the lists that layers_pattern names; true without such a setting. */
function layerTest({
  layers_to_transform: layers,
  layers_pattern: lists,
}: RawConfig): (modulePath: string) => boolean {
  if (layers === null || layers === undefined || (Array.isArray(layers) && layers.length === 0)) {
    return () => true;
  }
  const wanted = new Set([layers].flat());
  const named = isUnset(lists) ? ["[^.]*"] : [lists as string | string[]].flat(); // set
  const places = named.map((list) => new RegExp(`^.*\\.${list}\\.(\\d+)\\.`));
  return (modulePath) => {
    const number = places.map((place) => place.exec(modulePath)?.[1]).find((each) => each);
    return number !== undefined && wanted.has(Number(number));
  };
}

/** A pattern of the config that has to fit a whole path; undefined where it is none here. */
function wholePattern(text: string): RegExp | undefined {
  try {
    // With the flag, what only Python's patterns have is an error instead of a letter.
    return new RegExp(`^(?:${text})$`, "u");
  } catch {
    return undefined;
  }
}

/** Words of PEFT that are no modules' names: all linear layers, and none, beside rows of single tokens. */
const NO_NAMES: ReadonlySet<unknown> = new Set(["all-linear", "dummy-target-modules"]);

function targetsOf({ target_modules: targets }: RawConfig): LoraTargets | undefined {
  if (targets === null || targets === undefined || isUnset(targets)) return undefined;
  if (NO_NAMES.has(targets)) return undefined;
  const named = JSON.stringify(targets);
  if (Array.isArray(targets)) {
    return { named, matches: (modulePath) => isListed(targets, modulePath) };
  }
  const pattern = wholePattern(targets);
  return pattern && { named, matches: (modulePath) => pattern.test(modulePath) };
}

function isListed(modules: readonly string[], modulePath: string): boolean {
  return modules.some((module) => modulePath === module || modulePath.endsWith(`.${module}`));
}

/** Kinds that prepend virtual tokens or learn keys and values: no weights of the checkpoint hold them. */
const UNMERGEABLE: ReadonlySet<string> = new Set([
  "PROMPT_TUNING",
  "MULTITASK_PROMPT_TUNING",
  "P_TUNING",
  "PREFIX_TUNING",
  "ADAPTION_PROMPT",
  "CARTRIDGE",
  "CPT",
]);

function otherKind(where: string, kind: string): UnsupportedError {
  return new UnsupportedError(`${where}: peft_type: expected "LORA", got ${JSON.stringify(kind)}`, {
    hint: UNMERGEABLE.has(kind)
      ? "It changes no weights and cannot be merged: a checkpoint with it cannot be read here."
      : "Merge the adapter with PEFT (merge_and_unload, save_pretrained) and name the merged folder.",
  });
}

function unsupported(where: string, key: string, value: unknown): UnsupportedError {
  const isPartial = key === "alora_invocation_tokens";
  return new UnsupportedError(`${where}: ${key} ${JSON.stringify(value)} is not supported`, {
    hint: isPartial
      ? "An activated LoRA acts on some tokens alone, and cannot be merged: name a plain adapter."
      : "Merge the adapter with PEFT (merge_and_unload, save_pretrained) and name the merged folder.",
  });
}
