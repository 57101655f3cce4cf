/** @file What a vector store says about itself, and when two stores are the same. */
import { z } from "zod";

import { ConfigError, FormatError } from "../util/errors.ts";
import { firstDifference } from "../util/first-difference.ts";
import { VERSION } from "../util/version.ts";

/** Element type of the stored vectors. */
export const STORE_DTYPES = ["F16", "F32"] as const;
export type StoreDtype = (typeof STORE_DTYPES)[number];

/** What a layer number means, in the words that every file carries. */
export const LAYER_CONVENTION =
  "Layer l is the residual stream after l blocks; layer 0 is the embedding output; the final norm is never applied.";

const hash = z.string().min(1);
const count = z.int().nonnegative();

const vectorStoreManifestSchema = z.strictObject({
  format: z.literal("culprit-vectors"),
  version: z.literal(1),
  checkpoint: z.strictObject({
    name: z.string().describe("As the user named it; for people, not compared."),
    checkpointHash: hash,
    tokenizerHash: hash,
    templateHash: hash,
    family: z.string(),
    layerCount: count,
  }),
  template: z.enum(["chat", "raw"]),
  layers: z.array(count).min(1),
  layerConvention: z.literal(LAYER_CONVENTION),
  dim: z.int().positive(),
  dtype: z.enum(STORE_DTYPES),
  pooling: z.literal("mean-response-tokens"),
  sign: z.literal("chosen minus rejected"),
  maxTokens: z.int().positive().nullable().describe("Token limit of prompt and response together."),
  shardRows: z.int().positive(),
  pairs: z.strictObject({
    contentHash: hash,
    files: z.array(z.string()).describe("As the user named them; for people, not compared."),
    shape: z.string(),
    columns: z.array(z.string()).describe("Kept columns, in their order."),
  }),
  software: z.strictObject({ name: z.literal("culprit"), version: z.string() }),
});

/** The content of a store's `manifest.json`; nothing in it depends on the time or the machine. */
export type VectorStoreManifest = Readonly<z.infer<typeof vectorStoreManifestSchema>>;

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
  };
  const problem = findProblem(manifest);
  if (problem !== undefined) throw new ConfigError(`vector store: ${problem}`);
  return manifest as VectorStoreManifest; // checked just above
}

/** Parses the text of `manifest.json`; `where` names the file in errors. Throws FormatError. */
export function parseManifest(text: string, where: string): VectorStoreManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${where}: expected JSON, got something else`, { cause: error });
  }
  const problem = findProblem(value);
  if (problem !== undefined) {
    throw new FormatError(`${where}: ${problem}`, {
      hint: "Is this the folder that culprit embed wrote, by a version of culprit like this one?",
    });
  }
  return value as VectorStoreManifest; // checked just above
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

function findProblem(value: unknown): string | undefined {
  const parsed = vectorStoreManifestSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!; // a failed parse has at least one
    return `${issue.path.length === 0 ? "the manifest" : issue.path.join(".")}: ${issue.message}`;
  }
  const { layers, checkpoint } = parsed.data;
  const previous = layers.findIndex((layer, i) => i > 0 && layer <= layers[i - 1]!);
  if (previous !== -1)
    return `layers: expected rising numbers without repeats, got ${layers.join(", ")}`;
  const outside = layers.find((layer) => layer > checkpoint.layerCount);
  if (outside !== undefined) {
    return `layers: expected 0 to ${checkpoint.layerCount}, got ${outside}`;
  }
  return undefined;
}

function comparable(manifest: VectorStoreManifest): unknown {
  const { name: _name, ...checkpoint } = manifest.checkpoint;
  const { files: _files, ...pairs } = manifest.pairs;
  return { ...manifest, checkpoint, pairs };
}
