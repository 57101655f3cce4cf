import type { TensorValue } from "../runtime/ort.ts";
import { ActivationError } from "./activation-error.ts";
import type { EmbeddedExample, TokenizedExample } from "./engine.ts";
import type { JoinedExamples } from "./join-prompts.ts";
import type { PlannedBatch } from "./plan-batches.ts";
import { ResponseCollector } from "./response-collector.ts";

/** Sorts the means of batches back to their examples. D: width, L: layers. */
export class MeansCollector {
  readonly #collector: ResponseCollector<Float32Array>;
  readonly #joined: JoinedExamples;
  readonly #layers: readonly number[];
  readonly #dim: number;

  /** `joined` is what runs of the examples. */
  constructor(
    examples: readonly TokenizedExample[],
    joined: JoinedExamples,
    { layers, dim }: { readonly layers: readonly number[]; readonly dim: number },
  ) {
    this.#collector = new ResponseCollector(examples);
    this.#joined = joined;
    this.#layers = layers;
    this.#dim = dim;
  }

  /**
   * The examples that have all their responses with this batch of the joined ones, whose outputs are `layer.<l>` [B, R, D]. Throws ActivationError where a
   * mean is not finite.
   */
  *add(
    batch: PlannedBatch,
    outputs: Readonly<Record<string, TensorValue>>,
  ): Iterable<EmbeddedExample> {
    for (const [r, row] of batch.entries()) {
      for (const [slot, each] of row.responses.entries()) {
        const places = this.#joined.placesOf(row.example, each);
        const mean = this.#meanOf(outputs, { row: r, slot, example: places[0]!.example }); // one at least
        for (const { example, response } of places) {
          // Each caller's array is its own.
          const own = places.length === 1 ? mean : mean.slice();
          const means = this.#collector.add(example, response, own);
          if (means !== undefined) yield { index: example, means };
        }
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
