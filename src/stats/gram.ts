/**
 * The inner products of all rows of `rows` [m, D], as a full symmetric matrix [m, m]. m² D / 2 multiplications, four rows at a
 * time so that every row is read m / 4 times.
 */
export function gramMatrix(rows: Float64Array, dim: number): Float64Array {
  const count = dim === 0 ? 0 : rows.length / dim;
  const gram = new Float64Array(count * count);
  const products = new Float64Array(4);
  for (let first = 0; first < count; first += 4) {
    const block = Math.min(4, count - first);
    for (let i = first; i < count; i++) {
      fourDots(rows, { a: i * dim, b: first * dim, dim, block }, products);
      for (let k = 0; k < block; k++) {
        gram[i * count + first + k] = products[k]!;
        gram[(first + k) * count + i] = products[k]!;
      }
    }
  }
  return gram;
}

/** Writes the inner products of the row at `a` with up to four rows from `b` on into `out`. */
function fourDots(
  rows: Float64Array,
  at: { readonly a: number; readonly b: number; readonly dim: number; readonly block: number },
  out: Float64Array,
): void {
  const { a, b, dim, block } = at;
  // Rows past the end are read as the first again and not used.
  const b1 = block > 1 ? b + dim : b;
  const b2 = block > 2 ? b + 2 * dim : b;
  const b3 = block > 3 ? b + 3 * dim : b;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let j = 0; j < dim; j++) {
    const value = rows[a + j]!;
    s0 += value * rows[b + j]!;
    s1 += value * rows[b1 + j]!;
    s2 += value * rows[b2 + j]!;
    s3 += value * rows[b3 + j]!;
  }
  out.set([s0, s1, s2, s3]);
}
