import { inOrder } from "../tensor/lower.ts";
import { FormatError } from "../util/errors.ts";
import type { CheckpointWeights } from "./checkpoint-weights.ts";
import { FINAL_NORM, OUTPUT_MATRIX, outputMatrixName } from "./language-model-head.ts";
import { TRANSPOSED } from "./layers.ts";
import { pooledActivations } from "./pooled-activations.ts";
import type { LoadedModel } from "./read-model.ts";

/** Weights past the last block, which no activation depends on. */
const HEAD_WEIGHTS = new Set([`${FINAL_NORM}.weight`, OUTPUT_MATRIX]);
/** Frequencies that old exporters stored; they follow from config.json. */
const STORED_FREQUENCIES = /\.rotary_emb\.inv_freq$/;

/**
 * Throws FormatError unless config.json and the weights describe one model: every weight of every block there, in its shape, and
 * none besides. A bias or a block that the graph would pass over gives wrong activations in silence.
 */
export function expectWeightsFit(
  { family, config }: LoadedModel,
  weights: CheckpointWeights,
  where: string,
): void {
  const { outputs } = pooledActivations(family, config, [config.layerCount]);
  const wanted = new Set<string>();
  for (const { source, shape } of inOrder(Object.values(outputs))) {
    if (source.kind !== "parameter") continue;
    const isTransposed = source.name.endsWith(TRANSPOSED);
    const name = isTransposed ? source.name.slice(0, -TRANSPOSED.length) : source.name;
    const stored = shape as readonly number[]; // parameters have no named sizes
    weights.expectShape(name, isTransposed ? stored.toReversed() : stored);
    wanted.add(name);
  }
  for (const name of weights.names()) {
    if (wanted.has(name) || HEAD_WEIGHTS.has(name) || STORED_FREQUENCIES.test(name)) continue;
    throw new FormatError(
      `${where}: the weights have "${name}", which config.json (${family.name}, ${config.layerCount} blocks) has no place for`,
      {
        hint: "config.json and the weights belong to different models, or the model needs support for it.",
      },
    );
  }
}

/**
 * Throws FormatError unless the final norm and the output matrix are there in their shapes. Apart from the blocks, because
 * activations do without them: called by whatever needs logits.
 */
export function expectHeadFits({ config }: LoadedModel, weights: CheckpointWeights): void {
  const { vocabSize, dim } = config;
  weights.expectShape(`${FINAL_NORM}.weight`, [dim]);
  weights.expectShape(outputMatrixName(config), [vocabSize, dim]);
}
