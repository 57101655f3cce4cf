import { UnsupportedError } from "../util/errors.ts";
import { type CheckpointWeights, openWeights } from "./checkpoint-weights.ts";
import { FAMILIES } from "./families/index.ts";
import { applyLora } from "./lora.ts";
import type { LoadedModel, ModelFamily } from "./model-family.ts";
import { readModel } from "./read-model.ts";
import { aliasWeight, renameWeights } from "./renamed-weights.ts";

export interface OpenModel {
  /** With embeddings tied as the weights have it, whatever config.json says. */
  readonly model: LoadedModel;
  /** By the names that the family's graphs use, with the adapter merged. To be disposed of. */
  readonly weights: CheckpointWeights;
}

export interface OpenModelOptions {
  /** A folder with an adapter in PEFT layout. Default: none. */
  readonly adapter?: string | undefined;
  /** As in readModel. */
  readonly families?: readonly ModelFamily[] | undefined;
}

/** Opens config and weights of a checkpoint folder; of the weights only the headers are read, and a head that may be tied. */
export async function openModel(
  dir: string,
  { adapter, families = FAMILIES }: OpenModelOptions = {},
): Promise<OpenModel> {
  const read = await readModel(dir, families);
  const opened = await openWeights(dir);
  try {
    const weights = renameWeights(opened, read.family.names, {
      isTied: read.config.isTied,
      where: dir,
    });
    const model = await settleTie(read, weights);
    return adapter === undefined ? { model, weights } : await adapt(model, weights, adapter);
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Merges an adapter. In a tied model PEFT adapts the table and the head apart, each beside the one weight that they share: where it
 * changes either as a whole, they are two from then on. Rows of single tokens it changes in both.
 */
async function adapt(
  model: LoadedModel,
  weights: CheckpointWeights,
  adapter: string,
): Promise<OpenModel> {
  const { family, config } = model;
  const { embedding, outputMatrix } = family.names;
  const base = config.isTied ? aliasWeight(weights, outputMatrix, embedding) : weights;
  const adapted = await applyLora(base, adapter, family.names);
  const [table, head] = [adapted.changes(embedding), adapted.changes(outputMatrix)];
  if (!config.isTied || (table !== "all" && head === undefined)) return { model, weights: adapted };
  if (table === "rows" || head === "rows") {
    throw new UnsupportedError(
      `${adapter}: rows of single tokens in ${table === "rows" ? embedding : outputMatrix}, to which other weights are tied that the adapter does not change alike, are not supported`,
      { hint: "Train the adapter without trainable_token_indices, or for the embedding alone." },
    );
  }
  return { model: { family, config: { ...config, isTied: false } }, weights: adapted };
}

/**
 * As transformers 5 does: where config.json ties the embeddings and the files hold a head that differs from the table (such as the merge
 * of an adapter that trained the head of a tied model leaves behind), the files are right.
 */
async function settleTie(model: LoadedModel, weights: CheckpointWeights): Promise<LoadedModel> {
  const { family, config } = model;
  const { embedding, outputMatrix } = family.names;
  if (!config.isTied || !weights.has(embedding) || !weights.has(outputMatrix)) return model;
  const hasOwnHead = !(await areEqual(weights, embedding, outputMatrix));
  return hasOwnHead ? { family, config: { ...config, isTied: false } } : model;
}

async function areEqual(weights: CheckpointWeights, a: string, b: string): Promise<boolean> {
  if (weights.shape(a).join() !== weights.shape(b).join()) return false;
  const [left, right] = [await weights.readFloat32(a), await weights.readFloat32(b)];
  return left.every((value, i) => value === right[i]);
}
