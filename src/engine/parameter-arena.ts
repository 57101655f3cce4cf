import { UnsupportedError } from "../util/errors.ts";
import { createWasmMemory, type WasmMemory } from "../util/wasm-memory.ts";
import { type AdamWFactors, type AdamWKernel, createAdamWKernel } from "./adamw-wasm.ts";

/** A weight that is trained. */
export interface TrainedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Weight decay applies; not to norms and biases. */
  readonly isDecayed: boolean;
}

/** The numbers that belong to one trained weight: views of the arena's memory. */
export interface ParameterSlot extends TrainedParameter {
  readonly values: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly gradient: Float32Array;
}

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Longest vector, and step of all addresses, in floats. */
const ALIGN = 4;
/** Value, two moments and gradient. */
const PARTS = 4;
/** Floats of each part in one memory: four times 0.9 GiB stay below WebAssembly's 4 GiB. */
const MAX_CHUNK = 0.9 * 2 ** 28;
/** Past the first numbers of memory, so that no address is 0. */
const FIRST_BYTE = 64;

/**
 * Trained weights with their moments and gradients, in memory that graphs read as their inputs and that AdamW changes in place. All
 * start as zeros. Throws UnsupportedError where a single weight is too large.
 */
export class ParameterArena {
  readonly slots: readonly ParameterSlot[];
  readonly #chunks: readonly Chunk[];

  constructor(parameters: readonly TrainedParameter[]) {
    this.#chunks = splitChunks(parameters).map(createChunk);
    this.slots = this.#chunks.flatMap((chunk) => chunk.slots.map(({ slot }) => slot));
  }

  /** √Σ g² over all gradients. */
  gradientNorm(): number {
    let sum = 0;
    for (const { kernel, gradientAt, bytes } of this.#chunks) {
      sum += kernel.sumSquares(gradientAt, gradientAt + bytes);
    }
    return Math.sqrt(sum);
  }

  /** One AdamW step, the `step`-th (from 1), on gradients times `gradientFactor`. */
  update(
    step: number,
    learningRate: number,
    gradientFactor: number,
    { beta1, beta2, epsilon, weightDecay }: AdamWSettings,
  ): void {
    const factors: AdamWFactors = {
      gradient: gradientFactor,
      decay: 1 - learningRate * weightDecay,
      first: 1 - beta1,
      second: beta2,
      secondNew: 1 - beta2,
      secondBias: Math.sqrt(1 - beta2 ** step),
      epsilon,
      step: -learningRate / (1 - beta1 ** step),
    };
    for (const { kernel, slots, bytes } of this.#chunks) {
      for (const { slot, at, end } of slots) {
        const decay = slot.isDecayed ? factors.decay : 1;
        kernel.update(at, end, at + bytes, at + 2 * bytes, at + 3 * bytes, { ...factors, decay });
      }
    }
  }
}

interface Chunk {
  readonly kernel: AdamWKernel;
  readonly slots: readonly {
    readonly slot: ParameterSlot;
    readonly at: number;
    readonly end: number;
  }[];
  readonly gradientAt: number;
  /** Of one part; the parts follow each other. */
  readonly bytes: number;
}

/** Rounded up, so that every weight begins at a whole vector. */
function paddedSize({ shape }: TrainedParameter): number {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return Math.ceil(size / ALIGN) * ALIGN;
}

function splitChunks(parameters: readonly TrainedParameter[]): TrainedParameter[][] {
  const chunks: TrainedParameter[][] = [];
  let filled = Infinity;
  for (const each of parameters) {
    const size = paddedSize(each);
    if (size > MAX_CHUNK) {
      throw new UnsupportedError(
        `weight "${each.name}": ${size} numbers are too many to train here, at most ${MAX_CHUNK}`,
        { hint: "Train a LoRA adapter instead: --lora." },
      );
    }
    if (filled + size > MAX_CHUNK) {
      chunks.push([]);
      filled = 0;
    }
    chunks.at(-1)!.push(each);
    filled += size;
  }
  return chunks;
}

function createChunk(parameters: readonly TrainedParameter[]): Chunk {
  const bytes = 4 * parameters.reduce((sum, each) => sum + paddedSize(each), 0);
  const memory: WasmMemory = createWasmMemory(FIRST_BYTE + PARTS * bytes);
  let at = FIRST_BYTE;
  const slots = parameters.map((each) => {
    const start = at;
    at += 4 * paddedSize(each);
    const size = each.shape.reduce((product, dim) => product * dim, 1);
    const part = (index: number): Float32Array =>
      new Float32Array(memory.buffer, start + index * bytes, size);
    const slot: ParameterSlot = {
      ...each,
      values: part(0),
      firstMoment: part(1),
      secondMoment: part(2),
      gradient: part(3),
    };
    return { slot, at: start, end: at };
  });
  return { kernel: createAdamWKernel(memory), slots, bytes, gradientAt: FIRST_BYTE + 3 * bytes };
}
