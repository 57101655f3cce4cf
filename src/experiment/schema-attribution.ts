/** @file Settings of the experiment file: behaviour vector, ranking, edits. */
import { z } from "zod";

import { WEIGHTINGS } from "../behavior/mean-difference.ts";
import { PROBES } from "../behavior/probe-kind.ts";
import { isMeasure, MEASURES } from "../behavior/response-measures.ts";
import { EDIT_ACTIONS } from "../edit/edit.ts";
import { STORE_DTYPES } from "../store/vector-store-manifest.ts";
import { methodLabel, methodSettings } from "../verbs/settings/methods.ts";
import { count, seed } from "./schema-primitives.ts";

export const behaviorSchema = z.strictObject({
  name: z.string().min(1).default("behavior").describe("What the behaviour is called in results."),
  layers: z
    .array(z.int().min(0))
    .min(1)
    .refine((layers) => layers.every((layer, i) => i === 0 || layer > layers[i - 1]!), {
      error: "expected rising numbers, each once",
    })
    .describe(
      "Residual-stream layers to read; layer l is the stream after l blocks, 0 the embedding output.",
    ),
  probe: z
    .enum(PROBES)
    .default("mean-difference")
    .describe("How the direction is made from the activations."),
  orthogonalTo: z
    .array(z.string().refine(isMeasure, { error: `expected ${MEASURES.join(", ")}` }))
    .default([])
    .describe(`Directions that are projected out first: ${MEASURES.join(", ")}.`),
  weighting: z
    .enum(WEIGHTINGS)
    .default("rollout")
    .describe("What counts the same in the behaviour vector."),
  maxTokens: z
    .int()
    .min(2)
    .optional()
    .describe(
      "Prompt and response together, in tokens; absent: 2048 or the checkpoint's positions.",
    ),
  splits: count
    .max(10_000)
    .default(200)
    .describe("Random halves, and as many bootstrap replicates."),
  flips: count.max(10_000).default(200).describe("Random sign flips for the null of the length."),
  nullDirections: z
    .int()
    .min(0)
    .max(1024)
    .default(64)
    .describe("Null directions that pairs are scored against."),
  seed: seed.default(0).describe("Seed of splits, replicates and signs."),
});

/** Instead of a file: response pairs made of the probe's own rollouts. */
export const DRIFT = "drift";

export const attributionSchema = z.strictObject({
  methods: z
    .array(methodSettings())
    .min(1)
    .refine((choices) => new Set(choices.map(methodLabel)).size === choices.length, {
      error: "expected names of their own: tell uses of one method apart by as",
    })
    .prefault([{ name: "probe" }])
    .describe(
      "How pairs are scored, each with its own settings; edits follow the first unless they say otherwise.",
    ),
  layer: z
    .union([z.int().min(0), z.literal("auto")], { error: "expected a layer number or auto" })
    .default("auto")
    .describe(
      "Layer of the ranking that is used; auto: the one that culprit behavior chooses of behavior.layers.",
    ),
  nulls: z
    .array(z.string().min(1))
    .refine((names) => new Set(names).size === names.length, { error: "expected each once" })
    .default([])
    .describe(
      `Unrelated behaviours that the verdict is held to beside sign flips: files of response pairs, or ${DRIFT} for the probe's rollouts that do not show the behaviour, which is what else training changed.`,
    ),
  dtype: z.enum(STORE_DTYPES).default("F16").describe("How datapoint vectors are stored."),
  shardRows: count
    .max(2 ** 20)
    .default(2048)
    .describe("Pairs of one shard, the unit of resume."),
  maxTokens: z
    .int()
    .min(2)
    .optional()
    .describe(
      "Prompt and response together, in tokens; absent: 2048 or the checkpoint's positions.",
    ),
});

const topSchema = z.union([count, z.literal("planted")], {
  error: "expected a number of pairs or planted",
});

export const editSchema = z.strictObject({
  method: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The method whose ranking is followed: its name in attribution.methods, or what as calls it; absent: the first.",
    ),
  action: z
    .enum(EDIT_ACTIONS)
    .describe("filter drops the top pairs, swap exchanges their sides, drop-source drops sources."),
  top: z
    .union([topSchema, z.array(topSchema).min(1)], {
      error: "expected a number of pairs, planted, or a list of these",
    })
    .describe(
      "How many pairs of the ranking's top are edited, or with drop-source looked at; planted: as many as are planted. A list makes an arm of each.",
    ),
  sources: z
    .union([z.literal("auto"), z.array(z.string().min(1)).min(1)], {
      error: "expected auto or a list of sources",
    })
    .default("auto")
    .describe("For drop-source: the sources to drop; auto: those over-represented in the top."),
  by: z
    .string()
    .min(1)
    .optional()
    .describe("Kept column that sources are read from, chosen_model say; absent: the source."),
  minLift: z
    .number()
    .min(0)
    .optional()
    .describe("For drop-source: the lift whose 95% interval must lie above this; absent: 1.5."),
  controls: z
    .array(z.enum(["random", "random-any"]))
    .default(["random"])
    .describe(
      "Arms of as many random pairs beside it, drawn anew for each seed: random of the same source mix, random-any of any.",
    ),
});
