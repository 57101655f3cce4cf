import type { OnnxValue } from "../format/onnx.ts";
import type { CheckpointWeights } from "../model/checkpoint-weights.ts";
import { TRANSPOSED } from "../model/layers.ts";
import { bindWeights, type BoundWeights } from "../runtime/ort.ts";

/** The weights of one checkpoint as float32, each read at most once however many graphs use it. */
export class ParameterCache {
  readonly #weights: CheckpointWeights;
  readonly #arrays = new Map<string, Float32Array>();

  constructor(weights: CheckpointWeights) {
    this.#weights = weights;
  }

  /**
   * Reads what is not there yet; what `own` has is bound in its place, for this call alone. Throws FormatError where the checkpoint
   * lacks a weight or has it in another shape.
   */
  async load(
    parameters: readonly OnnxValue[],
    own: ReadonlyMap<string, Float32Array> = new Map(),
  ): Promise<{ bound: BoundWeights; arrays: ReadonlyMap<string, Float32Array> }> {
    for (const { name, shape } of parameters) {
      if (!own.has(name) && !this.#arrays.has(name)) {
        this.#arrays.set(name, await this.#read(name, shape as readonly number[])); // parameters have no named sizes
      }
    }
    return {
      bound: bindWeights(
        parameters.map(({ name, shape }) => [
          name,
          shape as readonly number[],
          own.get(name) ?? this.#arrays.get(name)!,
        ]),
      ),
      arrays: own.size === 0 ? this.#arrays : new Map([...this.#arrays, ...own]),
    };
  }

  /** Takes in a parameter that is no weight of the checkpoint, unless it is there. */
  put(name: string, make: () => Float32Array): void {
    if (!this.#arrays.has(name)) this.#arrays.set(name, make());
  }

  async #read(name: string, shape: readonly number[]): Promise<Float32Array> {
    if (!name.endsWith(TRANSPOSED)) {
      this.#weights.expectShape(name, shape);
      return this.#weights.readFloat32(name);
    }
    const stored = name.slice(0, -TRANSPOSED.length);
    this.#weights.expectShape(stored, shape.toReversed());
    return this.#weights.readFloat32(stored, { transpose: true });
  }
}
