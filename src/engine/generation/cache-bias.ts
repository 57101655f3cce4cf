import { HIDDEN } from "../../model/attention-bias.ts";
import { cacheBiasName, cacheWindows } from "../../model/decode-step.ts";
import type { ModelConfig } from "../../model/model-config.ts";
import type { TensorValue } from "../../runtime/ort.ts";

/** Which cached tokens each row's next token sees, for each distinct window [B, 1, 1, 1, S]: kept in step with the cache. */
export class CacheBias {
  readonly #windows: readonly (number | undefined)[];
  readonly #maxRows: number;
  #capacity = 0;
  #arrays: Float32Array[] = [];

  constructor(config: ModelConfig, maxRows: number) {
    this.#windows = cacheWindows(config);
    this.#maxRows = maxRows;
  }

  /** Starts over at another capacity, with the rows' lengths. */
  reset(capacity: number, lengths: readonly number[]): void {
    this.#capacity = capacity;
    this.#arrays = this.#windows.map(() => new Float32Array(this.#maxRows * capacity));
    for (const [row, length] of lengths.entries()) this.setRow(row, length);
  }

  /** Row `row` holds `length` tokens; the next one, at position `length`, sees those within the window. */
  setRow(row: number, length: number): void {
    const start = row * this.#capacity;
    for (const [i, array] of this.#arrays.entries()) {
      const window = this.#windows[i];
      // A query at position p sees p - window + 1 and later, itself included.
      const first = window === undefined ? 0 : Math.max(0, length - window + 1);
      array.fill(HIDDEN, start, start + this.#capacity);
      array.fill(0, start + Math.min(first, length), start + length);
    }
  }

  /** The first `rows` rows as inputs of the step graph. */
  inputs(rows: number): Record<string, TensorValue> {
    return Object.fromEntries(
      this.#arrays.map((array, i) => [
        cacheBiasName(i),
        {
          dtype: "float32",
          shape: [rows, 1, 1, 1, this.#capacity],
          array: array.subarray(0, rows * this.#capacity),
        } as const,
      ]),
    );
  }
}
