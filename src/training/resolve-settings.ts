import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { type DpoSettings, SCHEDULES, type SftSettings, type TrainSettings } from "./settings.ts";

export const resolvedSettingsSchema = z.strictObject({
  adaptation: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("full") }),
    z.strictObject({
      kind: z.literal("lora"),
      rank: z.number(),
      alpha: z.number(),
      /** null: every linear layer of the blocks. */
      targets: z.array(z.string()).nullable(),
    }),
  ]),
  learningRate: z.number(),
  schedule: z.enum(SCHEDULES),
  warmup: z.union([z.strictObject({ ratio: z.number() }), z.strictObject({ steps: countSchema })]),
  epochs: countSchema,
  maxSteps: countSchema.nullable(),
  batchSize: countSchema,
  maxTokens: countSchema,
  weightDecay: z.number(),
  maxGradNorm: z.number(),
  beta1: z.number(),
  beta2: z.number(),
  epsilon: z.number(),
  seed: z.int(),
  shuffle: z.boolean(),
} satisfies Record<Exclude<keyof TrainSettings, `warmup${string}`> | "warmup", z.ZodType>);
/** Settings with every default filled in, as manifests have them. */
export type ResolvedSettings = Plain<typeof resolvedSettingsSchema>;

export const methodSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("dpo"),
    beta: z.number(),
    lengthNormalized: z.boolean(),
    labelSmoothing: z.number(),
  }),
  z.strictObject({ kind: z.literal("sft"), lossOn: z.enum(["response", "all"]) }),
]);
/** The loss that is trained on, all defaults filled in. */
export type Method = Plain<typeof methodSchema>;

const DEFAULT_MAX_TOKENS = 2048;
const DEFAULT_RANK = 16;

/** Fills in defaults and checks ranges; throws ConfigError naming the setting. `maxPositions` is the checkpoint's. */
export function resolveSettings(settings: TrainSettings, maxPositions: number): ResolvedSettings {
  const resolved: ResolvedSettings = {
    adaptation: resolveAdaptation(settings),
    learningRate: settings.learningRate,
    schedule: settings.schedule ?? "linear",
    warmup:
      settings.warmupSteps === undefined
        ? { ratio: settings.warmupRatio ?? 0.1 }
        : { steps: settings.warmupSteps },
    epochs: settings.epochs ?? 1,
    maxSteps: settings.maxSteps ?? null,
    batchSize: settings.batchSize ?? 32,
    maxTokens: settings.maxTokens ?? Math.min(DEFAULT_MAX_TOKENS, maxPositions),
    weightDecay: settings.weightDecay ?? 0,
    maxGradNorm: settings.maxGradNorm ?? 1,
    beta1: settings.beta1 ?? 0.9,
    beta2: settings.beta2 ?? 0.999,
    epsilon: settings.epsilon ?? 1e-8,
    seed: settings.seed ?? 0,
    shuffle: settings.shuffle ?? true,
  };
  checkSettings(resolved);
  if (resolved.maxTokens > maxPositions) {
    throw new ConfigError(
      `maxTokens: the checkpoint was made for ${maxPositions} positions, got ${resolved.maxTokens}`,
    );
  }
  return resolved;
}

/** Defaults and ranges of DPO's own settings. */
export function resolveDpo(settings: DpoSettings): Extract<Method, { kind: "dpo" }> {
  const lengthNormalized = settings.lengthNormalized ?? false;
  const beta = settings.beta ?? (lengthNormalized ? 5 : 0.1);
  const labelSmoothing = settings.labelSmoothing ?? 0;
  expectNumber("beta", beta, { above: 0 });
  expectNumber("labelSmoothing", labelSmoothing, { min: 0, below: 0.5 });
  return { kind: "dpo", beta, lengthNormalized, labelSmoothing };
}

/** Defaults of SFT's own settings. */
export function resolveSft(settings: SftSettings): Extract<Method, { kind: "sft" }> {
  return { kind: "sft", lossOn: settings.lossOn ?? "response" };
}

/** Warm-up steps of a run; a share is rounded up, as transformers does. */
export function warmupSteps({ warmup }: ResolvedSettings, steps: number): number {
  return "steps" in warmup ? warmup.steps : Math.ceil(steps * warmup.ratio);
}

function resolveAdaptation({ adaptation }: TrainSettings): ResolvedSettings["adaptation"] {
  if (adaptation === undefined || adaptation.kind === "full") return { kind: "full" };
  const rank = adaptation.rank ?? DEFAULT_RANK;
  const alpha = adaptation.alpha ?? 2 * rank;
  expectNumber("lora.rank", rank, { min: 1, isWhole: true });
  expectNumber("lora.alpha", alpha, { above: 0 });
  if (adaptation.targets?.length === 0) {
    throw new ConfigError("lora.targets: expected at least one, got none", {
      hint: "Leave them out to adapt every linear layer of the blocks.",
    });
  }
  return { kind: "lora", rank, alpha, targets: adaptation.targets ?? null };
}

function checkSettings(settings: ResolvedSettings): void {
  expectNumber("learningRate", settings.learningRate, { above: 0 });
  if (!SCHEDULES.includes(settings.schedule)) {
    throw new ConfigError(`schedule: expected ${SCHEDULES.join(", ")}, got ${settings.schedule}`);
  }
  if ("steps" in settings.warmup) {
    expectNumber("warmupSteps", settings.warmup.steps, { min: 0, isWhole: true });
  } else {
    expectNumber("warmupRatio", settings.warmup.ratio, { min: 0, below: 1 });
  }
  expectNumber("epochs", settings.epochs, { min: 1, isWhole: true });
  if (settings.maxSteps !== null) {
    expectNumber("maxSteps", settings.maxSteps, { min: 1, isWhole: true });
  }
  expectNumber("batchSize", settings.batchSize, { min: 1, isWhole: true });
  expectNumber("maxTokens", settings.maxTokens, { min: 2, isWhole: true });
  expectNumber("weightDecay", settings.weightDecay, { min: 0 });
  expectNumber("maxGradNorm", settings.maxGradNorm, { min: 0 });
  expectNumber("beta1", settings.beta1, { min: 0, below: 1 });
  expectNumber("beta2", settings.beta2, { min: 0, below: 1 });
  expectNumber("epsilon", settings.epsilon, { above: 0 });
  expectNumber("seed", settings.seed, { min: 0, isWhole: true });
}

interface Range {
  readonly min?: number | undefined;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  readonly isWhole?: boolean | undefined;
}

function expectNumber(
  name: string,
  value: number,
  { min = -Infinity, above = -Infinity, below = Infinity, isWhole = false }: Range,
): void {
  const fits =
    Number.isFinite(value) &&
    value >= min &&
    value > above &&
    value < below &&
    (!isWhole || Number.isSafeInteger(value));
  if (fits) return;
  const bounds = [
    ...(min > -Infinity ? [`at least ${min}`] : []),
    ...(above > -Infinity ? [`above ${above}`] : []),
    ...(below < Infinity ? [`below ${below}`] : []),
  ];
  throw new ConfigError(
    `${name}: expected a ${isWhole ? "whole " : ""}number ${bounds.join(" and ")}, got ${value}`,
  );
}
