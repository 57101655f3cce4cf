import type { OnnxValue } from "../format/onnx.ts";
import type { CheckpointWeights } from "../model/checkpoint-weights.ts";
import { INT8_SCALES, INT8_VALUES, toInt8 } from "../model/int8-weights.ts";
import { TRANSPOSED } from "../model/layers.ts";
import { toW8A8, W8A8_SCALES, W8A8_VALUES } from "../model/w8a8-weights.ts";
import { bindWeights, type BoundWeights } from "../runtime/ort.ts";

/** The weights of one checkpoint as float32, or in whole numbers with their scales, each read at most once however many graphs use it. */
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
    // Checkpoints store a linear layer's matrix [out, in].
    const storedShape = kind === TRANSPOSED || kind === W8A8_VALUES ? shape.toReversed() : shape;
    this.#weights.expectShape(stored, storedShape);
    const values = await this.#weights.readFloat32(stored, { transpose: kind === TRANSPOSED });
    if (kind !== INT8_VALUES && kind !== W8A8_VALUES) {
      this.#arrays.set(name, values);
      return;
    }
    // The scales come of the same reading: graphs name them behind the whole numbers.
    const [made, scales] =
      kind === INT8_VALUES
        ? [toInt8(values, storedShape[1]!), INT8_SCALES]
        : [toW8A8(values, storedShape[1]!), W8A8_SCALES];
    this.#wholes.set(name, made.values);
    this.#arrays.set(`${stored}${scales}`, made.scales);
  }
}

/** The name that the checkpoint has for a parameter, and how it is held. */
function splitName(name: string): readonly [string, string] {
  const kind = [TRANSPOSED, INT8_VALUES, W8A8_VALUES].find((end) => name.endsWith(end)) ?? "";
  return [name.slice(0, name.length - kind.length), kind];
}
