import type { OnnxValue } from "../format/onnx.ts";
import type { CheckpointWeights } from "../model/checkpoint-weights.ts";
import { withInt4Weights } from "../model/int4-weights.ts";
import { withInt8Weights } from "../model/int8-weights.ts";
import type { ActivationsGraph } from "../model/pooled-activations.ts";
import type { RopeScaling } from "../model/rope.ts";
import { withW8A8Products } from "../model/w8a8-weights.ts";
import type { Device } from "../runtime/device.ts";
import { compile, type Program } from "../runtime/ort.ts";
import type { Tensor } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { expectMemory } from "./expect-memory.ts";
import { ParameterCache } from "./parameter-cache.ts";
import type { Precision } from "./precision.ts";
import { expectExactProducts } from "./whole-products.ts";

/** Weights that are copied into the graph of a sampling step, at most. */
const MAX_PACKED_BYTES = 2 ** 30;

/** A graph to compile. */
export interface BuiltGraph extends ActivationsGraph {
  /** Parameters that are no weights of the checkpoint, by name. */
  readonly made?: ReadonlyMap<string, () => Float32Array> | undefined;
  /** Values of parameters for this graph alone, in place of the checkpoint's. */
  readonly own?: ReadonlyMap<string, Float32Array> | undefined;
}

/** A compiled graph and the frequencies it takes. */
export interface GraphProgram {
  readonly program: Program;
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

export interface GraphProgramsOptions {
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  readonly weights?: "shared" | "constant" | undefined;
  readonly precision?: Precision | undefined;
}

/** The compiled graphs of one checkpoint, over one copy of its weights where they are shared. */
export class GraphPrograms implements AsyncDisposable {
  readonly #options: GraphProgramsOptions;
  readonly #parameters: ParameterCache;
  readonly #embedding: string;
  /** By what they give. */
  readonly #programs = new Map<string, GraphProgram>();

  /** `embedding` is the name of the embedding table. */
  constructor(weights: CheckpointWeights, embedding: string, options: GraphProgramsOptions) {
    this.#options = options;
    this.#embedding = embedding;
    this.#parameters = new ParameterCache(weights);
  }

  /**
   * Compiles a graph, or takes it from an earlier call with the same key; `mayPack` (default false) has its weights packed unless they
   * are large or the options say how they are held.
   */
  async program(key: string, build: () => BuiltGraph, mayPack = false): Promise<GraphProgram> {
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    if (this.#options.precision === "W8A8" && this.#programs.size === 0) {
      await expectExactProducts();
    }
    const { outputs: built, frequencyInputs, made: madeValues = new Map(), own } = build();
    const outputs = holdWeights(built, this.#options.precision);
    const shared = lowerToOnnx(outputs);
    for (const [name, make] of madeValues) this.#parameters.put(name, make);
    const missing = shared.parameters.filter(
      ({ name }) => own?.has(name) !== true && !this.#parameters.has(name),
    );
    expectMemory(missing, this.#options);
    const values = await this.#parameters.load(shared.parameters, own);
    const { device, threads } = this.#options;
    const settings = {
      device,
      threads,
      weights: values.bound,
    };
    const constants = this.#constantWeights(values.arrays, shared.parameters, mayPack);
    const graph =
      constants === undefined ? shared : lowerToOnnx(outputs, { constantWeights: constants });
    const program = await compile(graph, settings);
    const made = { program, frequencyInputs };
    this.#programs.set(key, made);
    return made;
  }

  #constantWeights(
    arrays: ReadonlyMap<string, Float32Array>,
    parameters: readonly OnnxValue[],
    mayPack: boolean,
  ): ReadonlyMap<string, Float32Array> | undefined {
    if (this.#options.weights === "constant") return arrays;
    if (!mayPack || this.#options.weights !== undefined) return undefined;
    // The embedding table is looked up, not multiplied: nothing to pack.
    const packed = parameters.filter(({ name }) => name !== this.#embedding);
    const constants = new Map(packed.map(({ name }) => [name, arrays.get(name)!])); // loaded for these parameters
    const bytes = [...constants.values()].reduce((sum, each) => sum + each.byteLength, 0);
    return bytes <= MAX_PACKED_BYTES ? constants : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { program } of this.#programs.values()) await program[Symbol.asyncDispose]();
    this.#programs.clear();
  }
}

/** The graph with its weights held so. */
export function holdWeights(
  outputs: Readonly<Record<string, Tensor>>,
  precision: Precision = "F32",
): Readonly<Record<string, Tensor>> {
  switch (precision) {
    case "INT8":
      return withInt8Weights(outputs);
    case "INT4":
      return withInt4Weights(outputs);
    case "W8A8":
      return withW8A8Products(outputs);
    case "F32":
    case "BF16":
      return outputs;
  }
}
