import { RuntimeError } from "../../util/errors.ts";

/** Which tokens may be sampled. */
export interface TokenFilter {
  /** The k likeliest only; undefined: all. */
  readonly topK: number | undefined;
  /** The likeliest whose probabilities first sum to at least p only, after `topK`; 1: all. */
  readonly topP: number;
}

/**
 * The token at which the running sum of probabilities passes `uniform` in [0, 1) of the whole; `probabilities` [V] need not sum to
 * exactly 1. Throws RuntimeError where they are not finite.
 */
export function chooseToken(
  probabilities: Float32Array,
  uniform: number,
  { topK, topP }: TokenFilter,
): number {
  const isFiltered = (topK !== undefined && topK < probabilities.length) || topP < 1;
  return isFiltered
    ? chooseAmong(likeliest(probabilities, { topK, topP }), probabilities, uniform)
    : chooseAmongAll(probabilities, uniform);
}

function chooseAmongAll(probabilities: Float32Array, uniform: number): number {
  let total = 0;
  for (let i = 0; i < probabilities.length; i++) total += probabilities[i]!;
  expectFinite(total);
  const target = uniform * total;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i]!;
    sum += probability;
    if (probability > 0) last = i;
    if (sum > target) return i;
  }
  return last;
}

function chooseAmong(
  candidates: readonly number[],
  probabilities: Float32Array,
  uniform: number,
): number {
  const total = candidates.reduce((sum, id) => sum + probabilities[id]!, 0);
  expectFinite(total);
  const target = uniform * total;
  let sum = 0;
  for (const id of candidates) {
    sum += probabilities[id]!;
    if (sum > target) return id;
  }
  return candidates.at(-1)!; // at least one candidate
}

/** The allowed tokens, likeliest first, equal ones by id. */
function likeliest(probabilities: Float32Array, { topK, topP }: TokenFilter): number[] {
  const count = Math.min(topK ?? probabilities.length, probabilities.length);
  const isBefore = (a: number, b: number): number => probabilities[b]! - probabilities[a]! || a - b;
  const sorted =
    count < probabilities.length
      ? topOf(probabilities, count).toSorted(isBefore)
      : nucleusCandidates(probabilities, topP).toSorted(isBefore);
  if (topP >= 1) return sorted;
  const total = sorted.reduce((sum, id) => sum + probabilities[id]!, 0);
  const all = count < probabilities.length ? total : sumOf(probabilities);
  let sum = 0;
  const end = sorted.findIndex((id) => (sum += probabilities[id]!) >= topP * all);
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
  const heap: number[] = [];
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
  for (let i = 0; i < count; i++) heap.push(i);
  for (let i = count >> 1; i >= 0; i--) sink(i);
  for (let i = count; i < probabilities.length; i++) {
    if (probabilities[i]! > probabilities[heap[0]!]!) {
      heap[0] = i;
      sink(0);
    }
  }
  return heap;
}

function sumOf(probabilities: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) sum += probabilities[i]!;
  return sum;
}

function expectFinite(total: number): void {
  if (Number.isFinite(total) && total > 0) return;
  throw new RuntimeError("sampling: the model's logits are not finite", {
    hint: "Check the checkpoint's weights (an overflow in training or conversion gives such values).",
  });
}
