/** A list of numbers at 8 bytes each, growing by doubling: figures for every pair of a large data set. */
export interface NumberColumn {
  push(value: number): void;
  /** The values so far; a view, valid until the next push. */
  values(): Float64Array;
}

/** Makes an empty column. */
export function createNumberColumn(): NumberColumn {
  let buffer = new Float64Array(1024);
  let length = 0;
  return {
    push(value) {
      if (length === buffer.length) {
        const larger = new Float64Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
      buffer[length++] = value;
    },
    values: () => buffer.subarray(0, length),
  };
}
