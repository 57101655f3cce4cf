import { cachedKeyName, cachedValueName } from "../../model/decode-step.ts";
import type { ModelConfig } from "../../model/model-config.ts";
import type { TensorArray, TensorValue } from "../../runtime/ort.ts";

/** Capacities are multiples of this: each growth copies the cache once, each unused token is scored in vain. */
const CAPACITY_STEP = 64;

/** Keys and values of some tokens of one row, block by block: `array` from `offset` on holds `count` tokens of K·d numbers. */
export interface KeyValueRows {
  /** Keys of block 0, its values, keys of block 1, … */
  readonly parts: readonly { readonly array: Float32Array; readonly offset: number }[];
  readonly count: number;
}

/**
 * Keys and values of the rows being sampled, for each block [B, K, 1, S, d]. Active rows are the first ones, so that a step reads a
 * view of their part. What lies beyond a row's tokens is any finite number, hidden by the bias.
 */
export class KeyValueCache {
  readonly #keyHeads: number;
  readonly #headDim: number;
  readonly #maxRows: number;
  #capacity = 0;
  /** Keys of block 0, its values, keys of block 1, … */
  #arrays: Float32Array[];

  constructor({ keyHeads, headDim, layerCount }: ModelConfig, maxRows: number) {
    this.#keyHeads = keyHeads;
    this.#headDim = headDim;
    this.#maxRows = maxRows;
    this.#arrays = Array.from({ length: 2 * layerCount }, () => new Float32Array(0));
  }

  /** S, tokens that a row has place for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Makes room for `needed` tokens a row, or gives room back; `lengths` of the active rows say what is kept. Returns whether S changed. */
  fit(needed: number, lengths: readonly number[]): boolean {
    const capacity = Math.ceil(Math.max(needed, 1) / CAPACITY_STEP) * CAPACITY_STEP;
    const isWasteful = capacity + CAPACITY_STEP < this.#capacity;
    if (capacity <= this.#capacity && !isWasteful) return false;
    const old = this.#capacity;
    const { length: rows } = lengths;
    this.#arrays = this.#arrays.map((from) => {
      const to = new Float32Array(this.#maxRows * this.#keyHeads * capacity * this.#headDim);
      for (let r = 0; r < rows; r++) {
        for (let k = 0; k < this.#keyHeads; k++) {
          const matrix = r * this.#keyHeads + k;
          const start = matrix * old * this.#headDim;
          const kept = from.subarray(start, start + lengths[r]! * this.#headDim);
          to.set(kept, matrix * capacity * this.#headDim);
        }
      }
      return to;
    });
    this.#capacity = capacity;
    return true;
  }

  /** Writes tokens `first`, `first` + 1, … of a row. */
  write(row: number, first: number, tokens: KeyValueRows): void {
    const width = this.#keyHeads * this.#headDim;
    for (const [part, { array, offset }] of tokens.parts.entries()) {
      const to = this.#arrays[part]!; // one array a part
      for (let k = 0; k < this.#keyHeads; k++) {
        let at = ((row * this.#keyHeads + k) * this.#capacity + first) * this.#headDim;
        let from = offset + k * this.#headDim;
        for (let t = 0; t < tokens.count; t++) {
          for (let i = 0; i < this.#headDim; i++) to[at + i] = array[from + i]!;
          at += this.#headDim;
          from += width;
        }
      }
    }
  }

  /** Appends the token of every active row: `rows` [2nB, 1, K·d] of the step graph, at `lengths`. */
  append(rows: Float32Array, lengths: readonly number[]): void {
    const width = this.#keyHeads * this.#headDim;
    let from = 0;
    for (const to of this.#arrays) {
      for (const [r, length] of lengths.entries()) {
        for (let k = 0; k < this.#keyHeads; k++) {
          const at = ((r * this.#keyHeads + k) * this.#capacity + length) * this.#headDim;
          for (let i = 0; i < this.#headDim; i++) to[at + i] = rows[from + i]!;
          from += this.#headDim;
        }
      }
    }
    if (from !== lengths.length * this.#arrays.length * width) {
      throw new Error("internal: the step's rows do not fit the cache");
    }
  }

  /** Copies row `from` over row `to`. */
  move(from: number, to: number): void {
    const size = this.#rowSize();
    for (const array of this.#arrays) array.copyWithin(to * size, from * size, (from + 1) * size);
  }

  /** The first `rows` rows as inputs of the step graph. */
  inputs(rows: number): Record<string, TensorValue> {
    const shape = [rows, this.#keyHeads, 1, this.#capacity, this.#headDim];
    const size = rows * this.#rowSize();
    return Object.fromEntries(
      this.#arrays.map((array, part) => {
        const block = part >> 1;
        const name = part % 2 === 0 ? cachedKeyName(block) : cachedValueName(block);
        const view: TensorArray = array.subarray(0, size);
        return [name, { dtype: "float32", shape, array: view } as const];
      }),
    );
  }

  #rowSize(): number {
    return this.#keyHeads * this.#capacity * this.#headDim;
  }
}
