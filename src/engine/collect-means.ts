import type { TensorValue } from "../runtime/ort.ts";
import { ActivationError } from "./activation-error.ts";
import type { EmbeddedExample, TokenizedExample } from "./engine.ts";
import type { PlannedBatch } from "./plan-batches.ts";

/** Sorts the means of batches back to their examples, whose responses may lie in several batches. D: width, L: layers. */
export class MeansCollector {
  readonly #examples: readonly TokenizedExample[];
  readonly #layers: readonly number[];
  readonly #dim: number;
  readonly #unfinished = new Map<number, (Float32Array | undefined)[]>();

  constructor(examples: readonly TokenizedExample[], layers: readonly number[], dim: number) {
    this.#examples = examples;
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
      const count = this.#examples[row.example]!.responses.length; // planned from these examples
      const means =
        this.#unfinished.get(row.example) ?? Array.from({ length: count }, () => undefined);
      for (const [slot, response] of row.responses.entries()) {
        means[response] = this.#meanOf(outputs, { row: r, slot, example: row.example });
      }
      const complete = means.filter((mean) => mean !== undefined);
      if (complete.length === count) {
        this.#unfinished.delete(row.example);
        yield { index: row.example, means: complete };
      } else {
        this.#unfinished.set(row.example, means);
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
