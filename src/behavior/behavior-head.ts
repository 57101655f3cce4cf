/** @file What a behaviour file says about itself, as JSON under the metadata key `behavior`. */
import { z } from "zod";

import { featuresSchema } from "../engine/features.ts";
import { dataFileSchema } from "../pairs/open-pairs.ts";
import type { ResponsePairs } from "../pairs/response-pairs.ts";
import {
  checkpointSchema,
  describeCheckpoint,
  LAYER_CONVENTION,
} from "../store/vector-store-manifest.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import { FormatError } from "../util/errors.ts";
import { VERSION } from "../util/version.ts";
import type { Behavior } from "./behavior.ts";
import { chooseLayer, layerChoiceSchema } from "./layer-choice.ts";
import { WEIGHTINGS } from "./mean-difference.ts";
import { NULL_CONVENTIONS, PROBES } from "./probe-kind.ts";

const SIGN_CONVENTION = "after minus before, both read on the checkpoint named here";
const POOLING = "mean-response-tokens";

export const headSchema = z.strictObject({
  format: z.literal("culprit-behavior"),
  version: z.literal(2),
  name: z.string(),
  checkpoint: checkpointSchema,
  features: featuresSchema.optional(),
  dim: z.int().positive(),
  layers: z.array(countSchema).min(1),
  layerConvention: z.literal(LAYER_CONVENTION),
  sign: z.literal(SIGN_CONVENTION),
  pooling: z.literal(POOLING),
  probe: z.enum(PROBES),
  nulls: z.enum(Object.values(NULL_CONVENTIONS)),
  weighting: z.enum(WEIGHTINGS),
  seed: z.int(),
  maxTokens: z.int().positive(),
  /** Names of the directions that were projected out of all activations. */
  orthogonalTo: z.array(z.string()),
  /** What `--layers auto` takes; see chooseLayer. */
  layerChoice: layerChoiceSchema,
  /** Why the vector of a layer is not stable, by layer; none for stable ones. */
  doubts: z.record(z.string(), z.string()),
  scenarioIds: z.array(z.string()).min(1),
  counts: z.strictObject({
    pairs: countSchema,
    prompts: countSchema,
    unusable: countSchema,
    truncated: countSchema,
  }),
  pairFiles: z.array(dataFileSchema),
  software: z.strictObject({ name: z.literal("culprit"), version: z.string() }),
});

/** What a behaviour file says about itself. */
export type BehaviorHead = Plain<typeof headSchema>;

/** What makes two checkpoints the same, and what each part is called. */
export const IDENTITY_PARTS = {
  checkpointHash: "checkpoint",
  tokenizerHash: "tokenizer",
  templateHash: "chat template",
  precision: "precision of the weights",
} as const;
export interface CheckpointParts {
  readonly checkpointHash: string;
  readonly tokenizerHash: string;
  readonly templateHash: string;
  /** Absent: F32. */
  readonly precision?: string | undefined;
}

/** The first part in which two checkpoints differ; undefined where they are the same. */
export function differingPart(
  a: CheckpointParts,
  b: CheckpointParts,
): keyof typeof IDENTITY_PARTS | undefined {
  const parts = Object.keys(IDENTITY_PARTS) as (keyof typeof IDENTITY_PARTS)[]; // its own keys
  return parts.find((part) => a[part] !== b[part]);
}

/** The head of a behaviour that is about to be written. */
export function describeBehavior(
  behavior: Behavior,
  source: Pick<ResponsePairs, "files" | "unusable">,
): BehaviorHead {
  const { identity } = behavior;
  return {
    format: "culprit-behavior",
    version: 2,
    name: behavior.name,
    checkpoint: describeCheckpoint(identity),
    features: identity.features,
    dim: identity.dim,
    layers: behavior.layers,
    layerConvention: LAYER_CONVENTION,
    sign: SIGN_CONVENTION,
    pooling: POOLING,
    probe: behavior.probe,
    nulls: NULL_CONVENTIONS[behavior.probe],
    weighting: behavior.weighting,
    seed: behavior.seed,
    maxTokens: behavior.maxTokens,
    orthogonalTo: behavior.orthogonalTo,
    layerChoice: chooseLayer(behavior.diagnostics),
    doubts: Object.fromEntries(
      behavior.diagnostics.flatMap(({ layer, isStable, doubt }) =>
        isStable ? [] : [[`${layer}`, doubt ?? "not stable"]],
      ),
    ),
    scenarioIds: behavior.scenarioIds,
    counts: {
      pairs: behavior.pairs,
      prompts: behavior.prompts,
      unusable: source.unusable.length + behavior.unusable.length,
      truncated: behavior.truncated,
    },
    pairFiles: source.files.map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes })),
    software: { name: "culprit", version: VERSION },
  };
}

/** Reads the head back; `text` is the metadata value. Throws FormatError naming the member that is not as promised. */
export function parseHead(path: string, text: string | undefined): BehaviorHead {
  if (text === undefined) {
    throw new FormatError(`${path}: expected a behaviour file, got no "behavior" in its metadata`, {
      hint: "culprit behavior writes such files.",
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: the metadata "behavior" is not JSON`, { cause: error });
  }
  const parsed = headSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(
    `${path}: metadata "behavior", ${issue!.path.join(".") || "whole"}: ${issue!.message}`,
    { cause: parsed.error, hint: "Make the file again with culprit behavior of this version." },
  );
}
