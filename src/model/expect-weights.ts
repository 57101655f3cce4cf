import { FormatError } from "../util/errors.ts";
import type { CheckpointWeights } from "./checkpoint-weights.ts";
import type { LoadedModel } from "./model-family.ts";
import { blockParameters, headParameters } from "./stored-parameters.ts";

/** Frequencies that old exporters stored; they follow from config.json. */
const STORED_FREQUENCIES = /\.rotary_emb\.inv_freq$/;

/**
 * Throws FormatError unless config.json and the weights describe one model: every weight of every block there, in its shape, and
 * none besides but the head's. A bias or a block that the graph would pass over gives wrong activations in silence.
 */
export function expectWeightsFit(
  model: LoadedModel,
  weights: CheckpointWeights,
  where: string,
): void {
  const wanted = blockParameters(model);
  for (const [name, shape] of wanted) weights.expectShape(name, shape);
  // Some exporters store a tied output matrix as well.
  const { outputMatrix, unused } = model.family.names;
  const known = new Set([...wanted.keys(), ...headParameters(model).keys(), outputMatrix]);
  for (const name of weights.names()) {
    if (known.has(name) || STORED_FREQUENCIES.test(name) || unused?.test(name) === true) continue;
    throw new FormatError(
      `${where}: the weights have "${name}", which config.json (${model.family.name}, ${model.config.layerCount} blocks) has no place for`,
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
export function expectHeadFits(model: LoadedModel, weights: CheckpointWeights): void {
  for (const [name, shape] of headParameters(model)) weights.expectShape(name, shape);
}
