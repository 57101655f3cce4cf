import type { OnnxValue } from "../format/onnx.ts";
import type { CheckpointWeights } from "../model/checkpoint-weights.ts";
import { INT4_SCALES, INT4_VALUES, toInt4 } from "../model/int4-weights.ts";
import { INT8_SCALES, INT8_VALUES, toInt8 } from "../model/int8-weights.ts";
import { TRANSPOSED } from "../model/layers.ts";
import { toW8A8, W8A8_SCALES, W8A8_VALUES } from "../model/w8a8-weights.ts";
import { bindWeights, type BoundWeights } from "../runtime/ort.ts";

/** The weights of one checkpoint as float32, or in whole numbers with their scales, each read at most once however many graphs use it. */
export class ParameterCache {
  readonly #weights: CheckpointWeights;
  readonly #arrays = new Map<string, Float32Array>();
  readonly #wholes = new Map<string, Int8Array | Uint8Array>();

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
    const held = HELD.find(({ name: pattern }) => pattern.test(name));
    const stored = held === undefined ? name : name.replace(held.name, "");
    const storedShape = held?.storedShape(shape, name) ?? shape;
    this.#weights.expectShape(stored, storedShape);
    if (held?.round === undefined) {
      const transpose = held !== undefined;
      this.#arrays.set(name, await this.#weights.readFloat32(stored, { transpose }));
      return;
    }
    const made = held.round(await this.#weights.readFloat32(stored), storedShape[1]!); // a matrix
    this.#wholes.set(name, made.values);
    // The scales come of the same reading: graphs name them behind the whole numbers.
    this.#arrays.set(`${stored}${held.scales}`, made.scales);
  }
}

/** How a matrix is held that a checkpoint stores [out, in], by what stands at the end of the parameter's name. */
interface Held {
  readonly name: RegExp;
  readonly storedShape: (shape: readonly number[], name: string) => readonly number[];
  readonly round?: (
    matrix: Float32Array,
    columns: number,
  ) => { readonly values: Int8Array | Uint8Array; readonly scales: Float32Array };
  readonly scales?: string;
}

const escaped = (text: string): string => text.replaceAll(".", "\\.");
const ends = (end: string): RegExp => new RegExp(`${escaped(end)}$`);
const INT4_NAME = new RegExp(`${escaped(INT4_VALUES)}(\\d+)$`);
const turned = (shape: readonly number[]): readonly number[] => shape.toReversed();

const HELD: readonly Held[] = [
  { name: ends(TRANSPOSED), storedShape: turned },
  { name: ends(INT8_VALUES), storedShape: (shape) => shape, round: toInt8, scales: INT8_SCALES },
  { name: ends(W8A8_VALUES), storedShape: turned, round: toW8A8, scales: W8A8_SCALES },
  {
    name: INT4_NAME,
    storedShape: ([rows], name) => [rows!, Number(INT4_NAME.exec(name)![1])],
    round: toInt4,
    scales: INT4_SCALES,
  },
];
