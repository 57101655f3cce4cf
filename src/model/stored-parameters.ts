import { input, type Tensor } from "../tensor/graph.ts";
import { inOrder } from "../tensor/lower.ts";
import { TRANSPOSED } from "./layers.ts";
import type { LoadedModel } from "./model-family.ts";
import { pooledActivations } from "./pooled-activations.ts";

/** Names and shapes, as a checkpoint stores them, of the weights that the blocks and the embedding need, in order of use. */
export function blockParameters(model: LoadedModel): ReadonlyMap<string, readonly number[]> {
  return storedParameters(
    Object.values(pooledActivations(model, [model.config.layerCount]).outputs),
  );
}

/** The same of the head; with tied embeddings the table is among them. */
export function headParameters(model: LoadedModel): ReadonlyMap<string, readonly number[]> {
  const x = input("x", "float32", ["N", model.config.dim]);
  return storedParameters([model.family.head(x, model)]);
}

function storedParameters(outputs: readonly Tensor[]): ReadonlyMap<string, readonly number[]> {
  return new Map(
    inOrder(outputs).flatMap(({ source, shape }) => {
      if (source.kind !== "parameter") return [];
      const sizes = shape as readonly number[]; // parameters have no named sizes
      return source.name.endsWith(TRANSPOSED)
        ? [[source.name.slice(0, -TRANSPOSED.length), sizes.toReversed()] as const]
        : [[source.name, sizes] as const];
    }),
  );
}
