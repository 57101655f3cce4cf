import { RuntimeError } from "../../util/errors.ts";

/** Which tokens may be sampled. */
export interface TokenFilter {
  /** The k likeliest only; undefined: all. */
  readonly topK: number | undefined;
  /** The likeliest whose probabilities first sum to at least p only, after `topK`; 1: all. */
  readonly topP: number;
}

/**
 * Samples a token in proportion to `probabilities` [V], which need not sum to exactly 1. Each token has its own random number, which
 * follows from `key` (32 bits) and the token alone. Throws RuntimeError where probabilities are not finite.
 *
 * An exponential race: the token with the least −ln(u)/p wins, with probability p. Unlike a running sum, which shifts every later
 * boundary, rounding in the probabilities changes the winner only where two tokens finish almost together: the same sample in another
 * batch is the same.
 */
export function chooseToken(
  probabilities: Float32Array,
  key: number,
  { topK, topP }: TokenFilter,
): number {
  const isFiltered = (topK !== undefined && topK < probabilities.length) || topP < 1;
  return isFiltered
    ? race(likeliest(probabilities, { topK, topP }), probabilities, key)
    : raceOfAll(probabilities, key);
}

function race(tokens: readonly number[], probabilities: Float32Array, key: number): number {
  let winner = -1;
  let best = Infinity;
  for (const token of tokens) {
    const time = -Math.log(uniformOf(key, token)) / probabilities[token]!;
    if (!(time < best)) continue; // a NaN is out as well
    best = time;
    winner = token;
  }
  return expectFound(winner);
}

function raceOfAll(probabilities: Float32Array, key: number): number {
  let winner = -1;
  let best = Infinity;
  for (let token = 0; token < probabilities.length; token++) {
    const probability = probabilities[token]!;
    const uniform = uniformOf(key, token);
    // −ln(u) ≥ 1 − u: most tokens are out without a logarithm. A NaN is out as well.
    if (!(1 - uniform < best * probability)) continue;
    const time = -Math.log(uniform) / probability;
    if (time >= best) continue;
    best = time;
    winner = token;
  }
  return expectFound(winner);
}

/** In (0, 1), by the finaliser of splitmix32 over a counter. */
function uniformOf(key: number, token: number): number {
  let z = (key + Math.imul(token + 1, 0x9e3779b9)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (((z ^ (z >>> 15)) >>> 0) + 0.5) / 2 ** 32;
}

/** The allowed tokens, likeliest first, equal ones by id. */
function likeliest(probabilities: Float32Array, { topK, topP }: TokenFilter): readonly number[] {
  const isCut = topK !== undefined && topK < probabilities.length;
  const isBefore = (a: number, b: number): number => probabilities[b]! - probabilities[a]! || a - b;
  const candidates = isCut ? topOf(probabilities, topK) : nucleusCandidates(probabilities, topP);
  if (topP >= 1) return candidates;
  const sorted = candidates.toSorted(isBefore);
  // The nucleus is a share of what top-k leaves.
  const total = isCut ? sumOf(sorted.map((id) => probabilities[id]!)) : sumOf(probabilities);
  let sum = 0;
  const end = sorted.findIndex((id) => (sum += probabilities[id]!) >= topP * total);
  return end < 0 ? sorted : sorted.slice(0, end + 1);
}

/** Tokens that can belong to the nucleus: all others together hold less than 1 − p of the whole. */
function nucleusCandidates(probabilities: Float32Array, topP: number): number[] {
  const floor = ((1 - topP) * sumOf(probabilities)) / probabilities.length;
  const candidates: number[] = [];
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i]! >= floor) candidates.push(i);
  }
  return candidates;
}

/** The `count` likeliest in no order; of equal ones the lower ids. A heap whose root is the least of those kept. */
function topOf(probabilities: Float32Array, count: number): number[] {
  const heap = Array.from({ length: count }, (_, i) => i);
  const isWorse = (a: number, b: number): boolean =>
    probabilities[a]! < probabilities[b]! || (probabilities[a] === probabilities[b] && a > b);
  const sink = (from: number): void => {
    for (let at = from; ;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const worst = right < heap.length && isWorse(heap[right]!, heap[left]!) ? right : left;
      if (!isWorse(heap[worst]!, heap[at]!)) return;
      [heap[at], heap[worst]] = [heap[worst]!, heap[at]!];
      at = worst;
    }
  };
  for (let i = count >> 1; i >= 0; i--) sink(i);
  for (let i = count; i < probabilities.length; i++) {
    if (probabilities[i]! > probabilities[heap[0]!]!) {
      heap[0] = i;
      sink(0);
    }
  }
  return heap;
}

function sumOf(values: Float32Array | readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** No token finishes where every probability is NaN, which is what softmax makes of one infinite or undefined logit. */
function expectFound(token: number): number {
  if (token >= 0) return token;
  throw new RuntimeError("sampling: the model's logits are not finite", {
    hint: "Check the checkpoint's weights (an overflow in training or conversion gives such values).",
  });
}
