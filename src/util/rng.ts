/** A seeded stream of pseudo-random numbers (xoshiro128**); the same seed gives the same stream on every machine. */
export interface Rng {
  /** Uniform in [0, 1), 32 bits of randomness. */
  uniform(): number;
  /** Uniform integer in [0, bound); bound at most 2^32. */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
  /** +1 or -1 with equal probability. */
  sign(): 1 | -1;
  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[];
}

/** Makes a stream from an integer seed. */
export function createRng(seed: number): Rng {
  const state = new Uint32Array(4);
  let mix = seed >>> 0;
  for (let i = 0; i < 4; i++) state[i] = splitmix32((mix = (mix + 0x9e3779b9) >>> 0));
  let spareNormal: number | undefined;

  const next = (): number => {
    const a = state[0]!;
    const b = state[1]!;
    const c = state[2]! ^ a;
    const d = state[3]! ^ b;
    state[1] = b ^ c;
    state[0] = a ^ d;
    state[2] = c ^ (b << 9);
    state[3] = rotateLeft(d, 11);
    return Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
  };
  const uniform = (): number => next() / 2 ** 32;
  const integer = (bound: number): number => {
    // Rejection keeps every value equally likely when the bound does not divide 2^32.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = next();
      if (word < limit) return word % bound;
    }
  };
  const normal = (): number => {
    if (spareNormal !== undefined) {
      const value = spareNormal;
      spareNormal = undefined;
      return value;
    }
    // Box-Muller; 1 - u keeps the logarithm finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const shuffle = <T>(items: T[]): T[] => {
    for (let i = items.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  };
  return { uniform, integer, normal, sign: () => (next() & 0x80000000 ? 1 : -1), shuffle };
}

function rotateLeft(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}

function splitmix32(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
