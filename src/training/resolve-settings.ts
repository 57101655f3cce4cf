import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { describeFault } from "../util/schema-errors.ts";
import {
  type DpoSettings,
  dpoSettings,
  SCHEDULES,
  type SftSettings,
  sftSettings,
  type TrainSettings,
  trainSettings,
} from "./settings.ts";

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

/** The settings with their defaults; throws ConfigError naming the setting. `maxTokens` waits for the checkpoint. */
export function resolveSettings(settings: TrainSettings): Omit<ResolvedSettings, "maxTokens"> {
  const {
    adaptation,
    warmupRatio,
    warmupSteps: asked,
    maxTokens: _,
    ...others
  } = read(trainSettings, settings);
  return {
    adaptation: resolveAdaptation(adaptation),
    ...others,
    warmup: asked === undefined ? { ratio: warmupRatio } : { steps: asked },
    maxSteps: others.maxSteps ?? null,
  };
}

/** DPO's own settings. */
export function resolveDpo(settings: DpoSettings): Extract<Method, { kind: "dpo" }> {
  const { beta, lengthNormalized, labelSmoothing } = read(dpoSettings, settings);
  const strength = beta ?? (lengthNormalized ? 5 : 0.1);
  return { kind: "dpo", beta: strength, lengthNormalized, labelSmoothing };
}

/** SFT's own settings. */
export function resolveSft(settings: SftSettings): Extract<Method, { kind: "sft" }> {
  return { kind: "sft", lossOn: read(sftSettings, settings).lossOn ?? "response" };
}

/** Warm-up steps of a run; a share is rounded up, as transformers does. */
export function warmupSteps({ warmup }: ResolvedSettings, steps: number): number {
  return "steps" in warmup ? warmup.steps : Math.ceil(steps * warmup.ratio);
}

function resolveAdaptation(
  given: z.output<typeof trainSettings>["adaptation"],
): ResolvedSettings["adaptation"] {
  if (given.kind === "full") return given;
  const { kind, rank, alpha = 2 * rank, targets = null } = given;
  return { kind, rank, alpha, targets };
}

function read<S extends z.ZodType>(schema: S, settings: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(settings);
  if (success) return data;
  throw new ConfigError(describeFault(error.issues[0]!, settings));
}
