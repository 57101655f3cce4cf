import type { OnnxValue } from "../format/onnx.ts";
import type { CheckpointWeights } from "../model/checkpoint-weights.ts";
import { INT8_SCALES, INT8_VALUES, toInt8 } from "../model/int8-weights.ts";
import { TRANSPOSED } from "../model/layers.ts";
import { bindWeights, type BoundWeights } from "../runtime/ort.ts";

/** The weights of one checkpoint as float32, or as int8 with their scales, each read at most once however many graphs use it. */
export class ParameterCache {
  readonly #weights: CheckpointWeights;
  readonly #arrays = new Map<string, Float32Array>();
  readonly #wholes = new Map<string, Int8Array>();

  constructor(weights: CheckpointWeights) {
    this.#weights = weights;
  }

  /**
   * Reads what is not there yet; what `own` has is bound in its place, for this call alone. `arrays` are those of float32. Throws
   * FormatError where the checkpoint lacks a weight or has it in another shape.
   */
  async load(
    parameters: readonly OnnxValue[],
    own: ReadonlyMap<string, Float32Array> = new Map(),
  ): Promise<{ bound: BoundWeights; arrays: ReadonlyMap<string, Float32Array> }> {
    for (const { name, shape } of parameters) {
      if (!own.has(name) && !this.has(name)) {
        await this.#read(name, shape as readonly number[]); // parameters have no named sizes
      }
    }
    return {
      bound: bindWeights(
        parameters.map(({ name, shape }) => [
          name,
          shape as readonly number[],
          own.get(name) ?? this.#arrays.get(name) ?? this.#wholes.get(name)!,
        ]),
      ),
      arrays: own.size === 0 ? this.#arrays : new Map([...this.#arrays, ...own]),
    };
  }

  /** Whether it is in memory. */
  has(name: string): boolean {
    return this.#arrays.has(name) || this.#wholes.has(name);
  }

  /** Takes in a parameter that is no weight of the checkpoint, unless it is there. */
  put(name: string, make: () => Float32Array): void {
    if (!this.#arrays.has(name)) this.#arrays.set(name, make());
  }

  async #read(name: string, shape: readonly number[]): Promise<void> {
    const [stored, kind] = splitName(name);
    this.#weights.expectShape(stored, kind === TRANSPOSED ? shape.toReversed() : shape);
    const values = await this.#weights.readFloat32(stored, { transpose: kind === TRANSPOSED });
    if (kind !== INT8_VALUES) {
      this.#arrays.set(name, values);
      return;
    }
    // The scales come of the same reading: graphs name them behind the whole numbers.
    const whole = toInt8(values, shape[1]!); // a linear layer's matrix
    this.#wholes.set(name, whole.values);
    this.#arrays.set(`${stored}${INT8_SCALES}`, whole.scales);
  }
}

/** The name that the checkpoint has for a parameter, and how it is held. */
function splitName(name: string): readonly [string, string] {
  const kind = [TRANSPOSED, INT8_VALUES].find((end) => name.endsWith(end)) ?? "";
  return [name.slice(0, name.length - kind.length), kind];
}
