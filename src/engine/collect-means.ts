import type { TensorValue } from "../runtime/ort.ts";
import { ActivationError } from "./activation-error.ts";
import type { EmbeddedExample, TokenizedExample } from "./engine.ts";
import type { PlannedBatch } from "./plan-batches.ts";
import { ResponseCollector } from "./response-collector.ts";

/** Sorts the means of batches back to their examples. D: width, L: layers. */
export class MeansCollector {
  readonly #collector: ResponseCollector<Float32Array>;
  readonly #layers: readonly number[];
  readonly #dim: number;

  constructor(examples: readonly TokenizedExample[], layers: readonly number[], dim: number) {
    this.#collector = new ResponseCollector(examples);
    this.#layers = layers;
    this.#dim = dim;
  }

  /**
   * The examples that have all their responses with this batch, whose outputs are `layer.<l>` [B, R, D]. Throws ActivationError where a
   * mean is not finite.
   */
  *add(
    batch: PlannedBatch,
    outputs: Readonly<Record<string, TensorValue>>,
  ): Iterable<EmbeddedExample> {
    for (const [r, row] of batch.entries()) {
      const { example } = row;
      for (const [slot, response] of row.responses.entries()) {
        const mean = this.#meanOf(outputs, { row: r, slot, example });
        const means = this.#collector.add(example, response, mean);
        if (means !== undefined) yield { index: example, means };
      }
    }
  }

  /** [L, D] of the response in a row's slot. */
  #meanOf(
    outputs: Readonly<Record<string, TensorValue>>,
    place: { readonly row: number; readonly slot: number; readonly example: number },
  ): Float32Array {
    const mean = new Float32Array(this.#layers.length * this.#dim);
    for (const [l, layer] of this.#layers.entries()) {
      const { array, shape } = outputs[`layer.${layer}`]!; // [B, R, D]
      const start = (place.row * shape[1]! + place.slot) * this.#dim;
      const vector = array.subarray(start, start + this.#dim) as Float32Array; // the graph's outputs are float32
      if (!vector.every(Number.isFinite)) throw new ActivationError(layer, place.example);
      mean.set(vector, l * this.#dim);
    }
    return mean;
  }
}
