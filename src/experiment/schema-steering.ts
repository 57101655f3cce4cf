/** @file Settings of the experiment file: steering. */
import { z } from "zod";

import {
  DEFAULT_COHERENCE_BOUND,
  DEFAULT_PROJECT_OUT_AT,
  DEFAULT_RANDOM_DIRECTIONS,
  DEFAULT_STRENGTHS,
} from "../steering/steer-settings.ts";
import { STEERING_MODES } from "../steering/steering-report.ts";
import type { Contradiction } from "./schema-contradictions.ts";
import { count } from "./schema-primitives.ts";

export const steeringSchema = z.strictObject({
  modes: z
    .array(z.enum(STEERING_MODES))
    .min(1)
    .refine((modes) => new Set(modes).size === modes.length, { error: "expected each mode once" })
    .default([...STEERING_MODES])
    .describe(
      "add: the direction is added on the checkpoint before, where the behaviour should appear. project-out: it is projected out of the checkpoint after, where the behaviour should vanish.",
    ),
  on: z
    .enum(["evaluation", "probe"])
    .optional()
    .describe(
      "Whose scenarios are sampled; absent: the evaluation's, or the probe's where nothing is evaluated.",
    ),
  variants: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Variants to sample; absent: those of on."),
  limit: count.optional().describe("The first scenarios only; absent: all."),
  rollouts: count
    .default(10)
    .describe("Responses sampled for each scenario and variant, with each direction and strength."),
  layers: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe(
      "Layers whose directions are taken, each by itself unless together; absent: that of the ranking, and together all of the behaviour above 0.",
    ),
  projectOutAt: z
    .union([z.enum(["together", "own", "all"]), z.array(z.int().min(0)).min(1)], {
      error: "expected together, own, all or a list of layers",
    })
    .default(DEFAULT_PROJECT_OUT_AT)
    .describe(
      "Where project-out takes directions out. together: all at once, each at its own layer. own: each by itself at its own layer. all, or a list: each by itself at every layer of the checkpoint, or at those listed.",
    ),
  strength: z
    .union([z.number().gt(0), z.literal("auto")], { error: "expected a number above 0, or auto" })
    .default("auto")
    .describe(
      "How much of the direction is added, in lengths of the mean difference; auto: the largest of grid that leaves the text coherent.",
    ),
  grid: z
    .array(z.number().gt(0))
    .min(1)
    .default([...DEFAULT_STRENGTHS])
    .describe("Strengths that auto climbs, rising."),
  coherenceBound: z
    .number()
    .min(0)
    .default(DEFAULT_COHERENCE_BOUND)
    .describe(
      "Nats per token that steered text may be less likely than unsteered, by the unsteered model.",
    ),
  randomDirections: count
    .max(100)
    .default(DEFAULT_RANDOM_DIRECTIONS)
    .describe("Random directions of the same length beside each direction."),
});

export type SteeringSettings = z.output<typeof steeringSchema>;

/** What is said of the mode that is not asked for, and layers given twice. */
export function otherModes({
  modes,
  strength,
  grid,
  projectOutAt,
}: SteeringSettings): Contradiction[] {
  const found: Contradiction[] = [];
  const need = (isRight: boolean, name: string, message: string): void => {
    if (!isRight) found.push({ path: ["steering", name], message });
  };
  const adds = modes.includes("add");
  const none = "a direction is projected out as a whole: expected none beside modes without add";
  need(adds || strength === "auto", "strength", none);
  need(adds || String(grid) === String(DEFAULT_STRENGTHS), "grid", none);
  need(
    modes.includes("project-out") || projectOutAt === DEFAULT_PROJECT_OUT_AT,
    "projectOutAt",
    "a direction is added at its own layer: expected none beside modes without project-out",
  );
  const isOnce =
    typeof projectOutAt === "string" || new Set(projectOutAt).size === projectOutAt.length;
  need(isOnce, "projectOutAt", "expected each layer once");
  return found;
}
