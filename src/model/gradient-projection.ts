import { hashText, mixBits } from "../util/mix-hash.ts";
import type { GradientProjection } from "./response-gradients.ts";

/** Distributions of a projection's numbers; both keep inner products in expectation (Johnson & Lindenstrauss). */
export const PROJECTIONS = ["rademacher", "gaussian"] as const;
export type ProjectionKind = (typeof PROJECTIONS)[number];

/**
 * The numbers of a random matrix [size, to], the same wherever they are made: they follow from seed, parameter and side alone. Mean 0
 * and variance 1/to. Where there is room for all `size` numbers each keeps a place of its own, with a random sign: nothing is lost.
 */
export function projectionValues(
  { of, side, shape: [size, to] }: GradientProjection,
  { seed, projection }: { readonly seed: number; readonly projection: ProjectionKind },
): Float32Array {
  const key = hashText(`${seed}:${side}:${of}`) >>> 0;
  const values = new Float32Array(size * to);
  if (size <= to) {
    const first = key % to;
    for (let i = 0; i < size; i++) values[i * to + ((first + i) % to)] = sign(key, i);
    return values;
  }
  const scale = 1 / Math.sqrt(to);
  const draw = projection === "rademacher" ? sign : normal;
  for (let i = 0; i < values.length; i++) values[i] = scale * draw(key, i);
  return values;
}

function sign(key: number, i: number): number {
  return word(key, i) >>> 31 === 0 ? 1 : -1;
}

/** Box and Muller's, from two words. */
function normal(key: number, i: number): number {
  const [u, v] = [word(key, 2 * i), word(key, 2 * i + 1)].map((each) => (each + 0.5) / 2 ** 32);
  return Math.sqrt(-2 * Math.log(u!)) * Math.cos(2 * Math.PI * v!); // two words
}

/** The i-th 32-bit word of a stream: a counter, mixed. */
function word(key: number, i: number): number {
  return mixBits((key + Math.imul(i, 0x9e3779b9)) | 0);
}
