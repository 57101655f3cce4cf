import type { Tensor } from "../tensor/graph.ts";
import { inOrder } from "../tensor/lower.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { FINAL_NORM, outputMatrixName } from "./language-model-head.ts";
import { TRANSPOSED } from "./layers.ts";
import { pooledActivations } from "./pooled-activations.ts";
import type { LoadedModel } from "./read-model.ts";
import type { NamedWeight } from "./write-checkpoint.ts";

/**
 * Random weights of a whole model by their stored names: matrices normal with standard deviation `range`, norms 1, biases 0, as
 * transformers does. Each weight has a stream of its own, so that none depends on how many others there are.
 */
export function initialWeights(model: LoadedModel, seed: number, range: number): NamedWeight[] {
  return weightShapes(model).map(({ name, shape }) => {
    const values = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    if (shape.length > 1) {
      const rng = weightRng(seed, name);
      for (let i = 0; i < values.length; i++) values[i] = range * rng.normal();
    } else if (name.endsWith("norm.weight")) {
      values.fill(1);
    }
    return { name, shape, values };
  });
}

/** A stream that belongs to one weight. */
export function weightRng(seed: number, name: string): Rng {
  let hash = 0x811c9dc5 ^ seed; // FNV-1a
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return createRng(hash);
}

/** Stored names and shapes of every weight, final norm and an untied output matrix included. */
function weightShapes({
  family,
  config,
}: LoadedModel): { name: string; shape: readonly number[] }[] {
  const { outputs } = pooledActivations(family, config, [config.layerCount]);
  const shapes = new Map<string, readonly number[]>();
  for (const tensor of inOrder(Object.values(outputs))) {
    const stored = storedParameter(tensor);
    if (stored !== undefined) shapes.set(stored.name, stored.shape);
  }
  shapes.set(`${FINAL_NORM}.weight`, [config.dim]);
  shapes.set(outputMatrixName(config), [config.vocabSize, config.dim]);
  return [...shapes].map(([name, shape]) => ({ name, shape }));
}

function storedParameter({
  source,
  shape,
}: Tensor): { name: string; shape: readonly number[] } | undefined {
  if (source.kind !== "parameter") return undefined;
  const sizes = shape as readonly number[]; // parameters have no named sizes
  return source.name.endsWith(TRANSPOSED)
    ? { name: source.name.slice(0, -TRANSPOSED.length), shape: sizes.toReversed() }
    : { name: source.name, shape: sizes };
}
