import { z } from "zod";

import {
  DEFAULT_COHERENCE_BOUND,
  DEFAULT_HALVINGS,
  DEFAULT_PROJECT_OUT_AT,
  DEFAULT_RANDOM_DIRECTIONS,
  DEFAULT_STRENGTHS,
} from "../../steering/steer-settings.ts";
import { STEERING_MODES } from "../../steering/steering-report.ts";
import { count, nonNegative, positive, whole } from "../../util/setting-kinds.ts";
import { type Contradiction, need } from "../verb.ts";
import { layers, othersChoice, readLayers } from "./common.ts";
import { judgingSettings } from "./judging.ts";
import { samplingContradictions, samplingSettings } from "./sampling.ts";

/** How a checkpoint is steered, and what is measured. */
export const steeringSettings = z.strictObject({
  mode: z
    .enum(STEERING_MODES)
    .describe(
      "add: the direction is added, to see the behaviour appear. project-out: what lies along it is taken out, to see it vanish.",
    ),
  layers: layers.optional().meta({
    description:
      "Layers whose directions are taken, each by itself unless together: numbers and ranges like 2,4-6, or all of the behaviour. Absent: the one chosen for it; together, all above 0.",
    placeholder: "LIST",
  }),
  projectOutAt: z
    .union(
      [
        z.enum(["together", "own"]),
        z
          .array(whole)
          .min(1)
          .refine((at) => new Set(at).size === at.length, { error: "expected each layer once" }),
        z.string().transform(readLayers),
      ],
      { error: "expected together, own, all or layers like 2,4-6" },
    )
    // As it is written: defaults behind a transform are in no JSON Schema of what people write.
    .prefault(DEFAULT_PROJECT_OUT_AT)
    .meta({
      description:
        "Where project-out takes directions out. together: those of all layers at once, each at its own layer. own: each by itself at its own layer. all, or a list: each by itself at every layer of the checkpoint, or at those listed.",
      placeholder: "WHERE",
    }),
  strength: z
    .union([positive, z.literal("auto")], { error: "expected a number above 0 or auto" })
    .default("auto")
    .describe(
      "How much of the direction is added, in lengths of the mean difference; auto: the largest of the grid that leaves the text coherent.",
    ),
  grid: z
    .array(positive)
    .min(1)
    .refine((grid) => grid.every((value, i) => value > (grid[i - 1] ?? 0)), {
      error: "expected strengths above 0 in ascending order",
    })
    .default([...DEFAULT_STRENGTHS])
    .describe("Strengths that auto climbs, rising."),
  halvings: whole
    .max(20)
    .default(DEFAULT_HALVINGS)
    .describe("More strengths, each halfway between the last that holds and the first that fails."),
  coherenceBound: nonNegative
    .default(DEFAULT_COHERENCE_BOUND)
    .describe(
      "Nats per token that steered text may be less likely than unsteered, by the unsteered checkpoint.",
    ),
  randomDirections: count
    .max(1000)
    .default(DEFAULT_RANDOM_DIRECTIONS)
    .describe(
      "Random directions of the same length beside each direction: they show how far such differ.",
    ),
  otherCheckpoint: z
    .boolean()
    .default(false)
    .describe("Steer it though the behaviour was read on another, or with another template."),
  rollouts: count
    .max(1_000_000)
    .default(10)
    .describe("Responses sampled for each prompt, with each direction and strength."),
  sampling: samplingSettings.prefault({}),
  judge: judgingSettings.prefault({}),
});
export type SteeringSettings = z.output<typeof steeringSettings>;

/** What is said of the mode that is not asked for, and what means nothing beside a strength. */
export function steeringContradictions({
  mode,
  strength,
  grid,
  halvings,
  projectOutAt,
  sampling,
}: SteeringSettings): readonly Contradiction[] {
  const hasGrid = String(grid) !== String(DEFAULT_STRENGTHS);
  return [
    ...othersChoice("mode", mode, {
      // A direction is projected out as a whole, and added at its own layer.
      add: {
        strength: strength !== "auto",
        grid: hasGrid,
        halvings: halvings !== DEFAULT_HALVINGS,
      },
      "project-out": { projectOutAt: projectOutAt !== DEFAULT_PROJECT_OUT_AT },
    }),
    ...need(
      strength === "auto" || !hasGrid,
      ["grid"],
      "means nothing beside a strength that is not auto",
    ),
    ...samplingContradictions(sampling, ["sampling"]),
  ];
}
