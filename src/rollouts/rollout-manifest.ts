/** @file What stands beside a rollout file: how its rollouts were made, and which samples are not among them. */
import { z } from "zod";

import { countSchema, countsSchema, jsonArtifact, type Plain } from "../util/artifact.ts";

/** Every setting that a rollout follows from. */
export const samplingSchema = z.strictObject({
  samples: z.int().positive(),
  maxTokens: z.int().positive(),
  temperature: z.number(),
  topK: z.int().nullable(),
  topP: z.number(),
  seed: z.int(),
  stopTokens: z.array(z.int()),
  /** Rows that ran side by side: rounding differs with it, so that once in a great many tokens another one is sampled. */
  batch: z.int().positive(),
  /** There where prompts occur more than once; files of earlier versions have one draw several times then. */
  repeats: z.literal("own draws").optional(),
});
export type RolloutSampling = Plain<typeof samplingSchema>;

const ofCheckpointSchema = z.strictObject({
  kind: z.literal("rollouts"),
  /** Of Culprit. */
  version: z.string(),
  /** As the user named it; not compared. */
  checkpoint: z.string(),
  checkpointHash: z.string(),
  tokenizerHash: z.string(),
  templateHash: z.string(),
  /** Hash of the prompts with their scenarios and variants, in order. */
  promptsHash: z.string(),
  prompts: countSchema,
  sampling: samplingSchema,
  /** What was done to the residual stream while sampling. Absent in files of earlier versions, as what follows. */
  steering: z
    .strictObject({
      kind: z.enum(["add", "project-out"]),
      /** By ascending layer; the hash is SHA-256 of the direction's float32 values. */
      directions: z.array(z.strictObject({ layer: countSchema, hash: z.string() })).min(1),
      strength: z.number().nullable(),
    })
    .nullish(),
  /** Which difference of logits was amplified while sampling, by the checkpoint that it was taken from. */
  amplify: z.strictObject({ beforeHash: z.string(), alpha: z.number() }).nullish(),
});
/** How rollouts of a checkpoint were made; equal manifests mean equal rollouts. */
export type RolloutManifest = Plain<typeof ofCheckpointSchema>;

/** A sample that got no answer, as a missing verdict; `rollout` is the id that it would have. */
const absentSchema = z.strictObject({
  rollout: z.string(),
  scenario: z.string(),
  variant: z.string(),
  sample: countSchema,
  /** Of its prompt. */
  group: z.string().optional(),
  missing: z.string().min(1),
});
export type AbsentRollout = Plain<typeof absentSchema>;

const ofEndpointSchema = z.strictObject({
  kind: z.literal("endpoint-rollouts"),
  baseUrl: z.string(),
  model: z.string(),
  promptsHash: z.string(),
  prompts: countSchema,
  sampling: samplingSchema
    .pick({ samples: true, maxTokens: true, temperature: true, seed: true })
    /** null: the endpoint's. */
    .extend({ topP: z.number().nullable() }),
  /** Of Culprit. */
  version: z.string(),
  rollouts: countSchema,
  /** Rollouts whose `tokens` are estimated, because the endpoint did not say. */
  estimated: countSchema,
  /** Samples without a rollout, by cause. */
  failed: countsSchema,
  /** Rollouts that were asked for without a field that the endpoint does not take, by field; absent where there are none. */
  leftOut: countsSchema.optional(),
  /** What the endpoint said when a request first failed, by cause; absent where none failed with a word. */
  said: z.record(z.string(), z.string()).optional(),
  /** Absent in files of earlier versions. */
  absent: z.array(absentSchema).optional(),
});
/** How rollouts of an endpoint were made, and what failed. */
export type EndpointManifest = Plain<typeof ofEndpointSchema>;

/** Beside the file that rolloutManifestPath is given. */
export const ROLLOUT_MANIFEST = jsonArtifact(
  "rollouts.jsonl.json",
  "the manifest of rollouts",
  z.discriminatedUnion("kind", [ofCheckpointSchema, ofEndpointSchema]),
  { hint: "It should be the manifest that culprit generate writes beside its rollouts." },
);

/** Where the manifest of a rollout file stands. */
export const rolloutManifestPath = (path: string): string => `${path}.json`;

/** By how much the rollouts of a file were amplified; undefined where they were not, or have no manifest. */
export async function readAmplification(path: string): Promise<number | undefined> {
  const manifest = await ROLLOUT_MANIFEST.find(rolloutManifestPath(path));
  return manifest?.kind === "rollouts" ? manifest.amplify?.alpha : undefined;
}

/** The samples that failed when the rollouts of a file were made: in no rollout file, and yet to be counted. */
export async function readAbsentRollouts(path: string): Promise<readonly AbsentRollout[]> {
  const manifest = await ROLLOUT_MANIFEST.find(rolloutManifestPath(path));
  return manifest?.kind === "endpoint-rollouts" ? (manifest.absent ?? []) : [];
}
