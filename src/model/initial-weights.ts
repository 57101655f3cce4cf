import { hashText } from "../util/mix-hash.ts";
import { createRng, type Rng } from "../util/rng.ts";
import type { LoadedModel } from "./model-family.ts";
import { blockParameters, headParameters } from "./stored-parameters.ts";
import type { NamedWeight } from "./write-checkpoint.ts";

/**
 * Random weights of a whole model by their stored names: matrices normal with standard deviation `range`, norms 1, biases 0, as
 * transformers does. Each weight has a stream of its own, so that none depends on how many others there are.
 */
export function initialWeights(model: LoadedModel, seed: number, range: number): NamedWeight[] {
  const shapes = new Map([...blockParameters(model), ...headParameters(model)]);
  return [...shapes].map(([name, shape]) => {
    const values = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    if (shape.length > 1) {
      const rng = weightRng(seed, name);
      for (let i = 0; i < values.length; i++) values[i] = range * rng.normal();
    } else if (name.endsWith("norm.weight")) {
      values.fill(model.family.norm.initial);
    }
    return { name, shape, values };
  });
}

/** A stream that belongs to one weight. */
export function weightRng(seed: number, name: string): Rng {
  return createRng(hashText(name, 0x811c9dc5 ^ seed));
}
