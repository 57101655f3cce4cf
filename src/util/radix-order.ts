const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** The places of N keys from the smallest to the largest, equal keys in their order, [N]; in linear time (radix sort). */
export function radixOrder(keys: Uint32Array): Uint32Array<ArrayBuffer> {
  let order = new Uint32Array(keys.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  let other = new Uint32Array(order.length);
  // Stable from the lowest digit up, so equal keys keep their order.
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    sortByDigit(keys, shift, order, other);
    [order, other] = [other, order];
  }
  return order;
}

/** Keys that sort like the floats; -0 equals 0, NaN is the largest. */
export function ascendingKeys(values: Float32Array): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const keys = new Uint32Array(values.length);
  for (let i = 0; i < keys.length; i++) {
    const raw = bits[i]!;
    const word = raw === 0x80000000 ? 0 : raw;
    // Negative floats grow downwards in their bits, positive ones upwards.
    const ascending = word & 0x80000000 ? ~word : word | 0x80000000;
    keys[i] = (word & 0x7fffffff) > 0x7f800000 ? 0xffffffff : ascending;
  }
  return keys;
}

/** The same in the opposite order, but NaN is still the largest. */
export function descendingKeys(values: Float32Array): Uint32Array<ArrayBuffer> {
  // No float but NaN has the largest key, and none the smallest.
  return ascendingKeys(values).map((key) => (key === 0xffffffff ? key : ~key));
}

function sortByDigit(keys: Uint32Array, shift: number, from: Uint32Array, to: Uint32Array): void {
  const starts = new Uint32Array(DIGITS + 1);
  for (let i = 0; i < keys.length; i++) starts[((keys[i]! >>> shift) & (DIGITS - 1)) + 1]!++;
  for (let digit = 0; digit < DIGITS; digit++) starts[digit + 1]! += starts[digit]!;
  for (let i = 0; i < from.length; i++) {
    const place = from[i]!;
    to[starts[(keys[place]! >>> shift) & (DIGITS - 1)]!++] = place;
  }
}
