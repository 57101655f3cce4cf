/**
 * target += scale · left · right, in place. target [M, N], left [M, R], right [R, N], row-major; sums in double precision and
 * rounds once.
 */
export function addLowRank(
  target: Float32Array,
  left: Float32Array,
  right: Float32Array,
  { rank, scale }: { readonly rank: number; readonly scale: number },
): void {
  const rows = left.length / rank;
  const cols = right.length / rank;
  if (target.length !== rows * cols) {
    throw new Error(`internal: [${rows}, ${cols}] to add to ${target.length} values`);
  }
  const sums = new Float64Array(cols);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let k = 0; k < rank; k += 4) addRows(sums, right, { left, at: row * rank + k, k, rank });
    const start = row * cols;
    for (let col = 0; col < cols; col++) target[start + col]! += scale * sums[col]!;
  }
}

interface RankSlice {
  readonly left: Float32Array;
  /** Where in `left` the slice begins. */
  readonly at: number;
  readonly k: number;
  readonly rank: number;
}

/** Up to four rows of `right` at once: each sum is then loaded and stored a quarter as often. */
function addRows(sums: Float64Array, right: Float32Array, { left, at, k, rank }: RankSlice): void {
  const cols = sums.length;
  const start = k * cols;
  if (k + 4 > rank) {
    for (let j = 0; j < rank - k; j++) {
      const factor = left[at + j]!;
      for (let col = 0; col < cols; col++) sums[col]! += factor * right[start + j * cols + col]!;
    }
    return;
  }
  const [a, b, c, d] = [left[at]!, left[at + 1]!, left[at + 2]!, left[at + 3]!];
  const [second, third, fourth] = [start + cols, start + 2 * cols, start + 3 * cols];
  for (let col = 0; col < cols; col++) {
    sums[col]! +=
      a * right[start + col]! +
      b * right[second + col]! +
      c * right[third + col]! +
      d * right[fourth + col]!;
  }
}

/** target += scale · addend, in place. */
export function addScaled(target: Float32Array, addend: Float32Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * addend[i]!;
}

/** Gives the rows (or columns) of a matrix these lengths, in place: row i becomes lengths[i] · row / ‖row‖. */
export function scaleRows(
  target: Float32Array,
  lengths: Float32Array,
  { areColumns }: { readonly areColumns: boolean },
): void {
  const count = lengths.length;
  const width = target.length / count;
  const at = (i: number, j: number): number => (areColumns ? j * count + i : i * width + j);
  for (let i = 0; i < count; i++) {
    let square = 0;
    for (let j = 0; j < width; j++) square += target[at(i, j)]! ** 2;
    const factor = lengths[i]! / Math.sqrt(square);
    for (let j = 0; j < width; j++) target[at(i, j)]! *= factor;
  }
}
