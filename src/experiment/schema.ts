/**
 * @file The experiment file: the only source of its settings, their defaults, units and descriptions. The TypeScript type, the JSON
 * Schema for editors (json-schema.ts) and the table in docs/experiments.md (settings-table.ts) are derived from it.
 */
import { z } from "zod";

import { SCORERS } from "../attribution/scorer.ts";
import { WEIGHTINGS } from "../behavior/mean-difference.ts";
import { PAIR_SHAPES } from "../data/shapes/shapes.ts";
import { DEVICES } from "../runtime/device.ts";
import { STORE_DTYPES } from "../store/vector-store-manifest.ts";

const count = z.int().min(1);
const path = z.string().min(1);
const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

const checkpointsSchema = z.strictObject({
  before: path.describe(
    "The checkpoint before preference training (M0): a Hugging Face folder, or hf://owner/name@revision.",
  ),
  template: z
    .enum(["chat", "raw"])
    .default("chat")
    .describe("chat: the checkpoint's own chat template. raw: the turns joined by newlines."),
});

const pairsSchema = z.strictObject({
  files: z
    .array(path)
    .min(1)
    .describe("Files of preference pairs; globs and hf://datasets/owner/name/path too."),
  shape: z
    .enum(PAIR_SHAPES)
    .optional()
    .describe("How the rows are laid out; absent: detected from the rows."),
  source: z
    .string()
    .min(1)
    .optional()
    .describe("Column that says where a pair comes from; absent: source, dataset or the like."),
  keep: z
    .array(z.string().min(1))
    .optional()
    .describe("Further columns that travel with the pairs; absent: generators and short columns."),
  limit: count.optional().describe("Reads the first rows only; absent: all."),
});

const behaviorSchema = z.strictObject({
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

const attributionSchema = z.strictObject({
  scorer: z.enum(SCORERS).default("cosine").describe("The rule from a pair to its score."),
  layer: z
    .union([z.int().min(0), z.literal("auto")], { error: "expected a layer number or auto" })
    .default("auto")
    .describe(
      "Layer of the ranking that is used; auto: of behavior.layers the stable one whose vector agrees best between halves of the prompts.",
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

const engineSchema = z.strictObject({
  kind: z.literal("local").default("local").describe("Where the arithmetic runs."),
  device: z.enum(DEVICES).default("cpu").describe("Execution provider of ONNX Runtime."),
  threads: count
    .max(1024)
    .optional()
    .describe(
      "Threads of the arithmetic; absent: one for each core. Part of what results depend on.",
    ),
  batchTokens: count
    .optional()
    .describe("Tokens of one batch when embedding; absent: 1024. Less needs less memory."),
});

const costSchema = z.strictObject({
  pricePerHour: z
    .number()
    .min(0)
    .optional()
    .describe("Price of an hour of this machine; with it every stage's cost is also in money."),
  currency: z.string().min(1).default("USD").describe("What the price is in; for people."),
});

/** One experiment; paths are relative to the file that it was read from. */
export const experimentSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: "expected letters, digits, dots, dashes and underscores, 64 at most",
      })
      .describe("Name of the experiment, and of its folder under culprit-out/."),
    checkpoints: checkpointsSchema.describe("The checkpoint that everything starts from."),
    pairs: pairsSchema.describe("The preference pairs that it was or will be trained on."),
    responses: path
      .optional()
      .describe("Response pairs that show the behaviour, where you have them already."),
    behavior: behaviorSchema.describe("The behaviour vector."),
    attribution: attributionSchema.prefault({}).describe("Scoring and ranking of all pairs."),
    engine: engineSchema.prefault({}).describe("The engine."),
    cost: costSchema.prefault({}).describe("What the costs are counted in."),
  })
  .describe("An experiment of culprit run.");

/** A valid experiment with its defaults filled in. */
export type Experiment = z.output<typeof experimentSchema>;
