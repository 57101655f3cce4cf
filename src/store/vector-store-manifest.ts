/** @file What a vector store says about itself, and when two stores are the same. */
import { z } from "zod";

import type { EngineIdentity } from "../engine/engine.ts";
import { featuresSchema, layersOfFeatures, STATES } from "../engine/features.ts";
import { PRECISIONS } from "../engine/precision.ts";
import { BOUNDARIES } from "../model/prompt-renderer.ts";
import { countSchema, countsSchema, jsonArtifact } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { firstDifference } from "../util/first-difference.ts";
import { VERSION } from "../util/version.ts";
import { refinementSchema } from "./refinement.ts";

/** Element type of the stored vectors. */
export const STORE_DTYPES = ["F16", "F32"] as const;
export type StoreDtype = (typeof STORE_DTYPES)[number];

/** What a layer number means, in the words that every file carries. */
export const LAYER_CONVENTION =
  "Layer l is the residual stream after l blocks; layer 0 is the embedding output; the final norm is never applied.";

const hash = z.string().min(1);

/** Where responses begin; files of before there was a choice have none, which means "text". */
const boundarySchema = z.enum(BOUNDARIES).optional();

/** The checkpoint that vectors were read on. */
export const checkpointSchema = z.strictObject({
  name: z.string().describe("As the user named it; for people, not compared."),
  checkpointHash: hash,
  tokenizerHash: hash,
  templateHash: hash,
  boundary: boundarySchema,
  family: z.string(),
  layerCount: countSchema,
  precision: z
    .enum(PRECISIONS)
    .exclude(["F32"])
    .optional()
    .describe("How the weights were held; absent: F32."),
});

/** What files say of an engine's checkpoint. */
export function describeCheckpoint({
  name,
  checkpointHash,
  tokenizerHash,
  templateHash,
  boundary,
  family,
  layerCount,
  precision,
}: EngineIdentity): z.output<typeof checkpointSchema> {
  const parts = { name, checkpointHash, tokenizerHash, templateHash };
  return {
    ...parts,
    ...(boundary === undefined ? {} : { boundary }),
    family,
    layerCount,
    ...(precision === undefined ? {} : { precision }),
  };
}

const manifestSchema = z
  .strictObject({
    format: z.literal("culprit-vectors"),
    version: z.literal(1),
    checkpoint: checkpointSchema,
    template: z.enum(["chat", "raw"]),
    layers: z.array(countSchema).min(1),
    layerConvention: z.literal(LAYER_CONVENTION),
    features: featuresSchema.optional().describe("Absent: states, the residual stream's means."),
    dim: z.int().positive(),
    dtype: z.enum(STORE_DTYPES),
    pooling: z.literal("mean-response-tokens"),
    sign: z.literal("chosen minus rejected"),
    maxTokens: z
      .int()
      .positive()
      .nullable()
      .describe("Token limit of prompt and response together."),
    shardRows: z.int().positive(),
    pairs: z.strictObject({
      contentHash: hash,
      files: z.array(z.string()).describe("As the user named them; for people, not compared."),
      shape: z.string(),
      columns: z.array(z.string()).describe("Kept columns, in their order."),
      ignoreUnread: z.boolean().optional().describe("Rows were taken without what nothing reads."),
    }),
    refined: refinementSchema
      .optional()
      .describe("Some pairs alone were read exactly, the others as it says; absent: all were."),
    software: z.strictObject({ name: z.literal("culprit"), version: z.string() }),
  })
  .superRefine(({ layers, features = STATES, checkpoint }, context) => {
    const known = layersOfFeatures(checkpoint, features);
    const message = layers.some((layer, i) => i > 0 && layer <= layers[i - 1]!)
      ? `expected rising numbers without repeats, got ${layers.join(", ")}`
      : layers.some((layer) => !known.includes(layer))
        ? `expected some of ${known.join(", ")}, got ${layers.join(", ")}`
        : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", path: ["layers"], message });
  });

/** In a store's folder; nothing in it depends on the time or the machine. */
export const STORE_MANIFEST = jsonArtifact(
  "manifest.json",
  "the manifest of a vector store",
  manifestSchema,
  {
    hint: "Is this the folder that culprit embed wrote, by a version of culprit like this one?",
  },
);
export type VectorStoreManifest = z.output<typeof STORE_MANIFEST.schema>;

/** Written after the last shard: a store without it was interrupted. */
export const STORE_COMPLETION = jsonArtifact(
  "complete.json",
  "the end of a vector store",
  z.strictObject({
    format: z.literal("culprit-vectors-complete"),
    rows: countSchema,
    shards: countSchema,
    unusable: countsSchema.describe("Rows of the pair files without vectors, by reason."),
  }),
);
export type StoreCompletion = z.output<typeof STORE_COMPLETION.schema>;

/** The parts of a manifest that are not the same for every store. */
export type VectorStoreSettings = Omit<
  VectorStoreManifest,
  "format" | "version" | "layerConvention" | "pooling" | "sign" | "software"
>;

/** A manifest of this version of the software. Throws ConfigError where a setting is impossible. */
export function createManifest(settings: VectorStoreSettings): VectorStoreManifest {
  const manifest = {
    format: "culprit-vectors",
    version: 1,
    ...settings,
    layerConvention: LAYER_CONVENTION,
    pooling: "mean-response-tokens",
    sign: "chosen minus rejected",
    software: { name: "culprit", version: VERSION },
  } as const;
  const { error } = STORE_MANIFEST.schema.safeParse(manifest);
  const issue = error?.issues[0];
  if (issue === undefined) return manifest;
  throw new ConfigError(`vector store: ${issue.path.join(".")}: ${issue.message}`);
}

/**
 * Throws ConfigError naming the first field in which `wanted` differs from `found`, the manifest in folder `directory`.
 * Names that are only for people (checkpoint, files) may differ.
 */
export function requireSameManifest(
  directory: string,
  found: VectorStoreManifest,
  wanted: VectorStoreManifest,
): void {
  const difference = firstDifference(comparable(found), comparable(wanted));
  if (difference === undefined) return;
  if (difference.path === "pairs.contentHash") {
    throw new ConfigError(
      `${directory}: the vectors there were made from other preference pairs: other files, or another --limit or --shape`,
      { hint: "Name the same pair files and settings, or choose another folder for a new store." },
    );
  }
  throw new ConfigError(
    `${directory}: the vectors there were made with ${difference.path} ${difference.a}, now it is ${difference.b}`,
    { hint: "Use the settings of that store, or choose another folder for a new one." },
  );
}

function comparable(manifest: VectorStoreManifest): unknown {
  const { name: _name, ...checkpoint } = manifest.checkpoint;
  const { files: _files, ...pairs } = manifest.pairs;
  return { ...manifest, checkpoint, pairs };
}
