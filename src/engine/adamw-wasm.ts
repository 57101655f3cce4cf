/**
 * @file A WebAssembly SIMD routine for AdamW (Loshchilov & Hutter 2019) with PyTorch's order of operations, and one for the sum of
 * squares that clipping needs.
 *
 * Why not ONNX Runtime: it would copy the new weights and both moments out (12 bytes a weight at about 1.2 GB/s), where this changes
 * them in place, in memory that graphs read as their inputs.
 */
import {
  advance,
  BRANCH_IF,
  constant128,
  F32,
  F32X4_ADD,
  F32X4_DIV,
  F32X4_MUL,
  F32X4_SPLAT,
  F32X4_SQRT,
  F32X4_SUB,
  F64,
  F64_ADD,
  F64X2_ADD,
  F64X2_MUL,
  F64X2_PROMOTE_LOW,
  get,
  I32,
  I32_LT_U,
  END,
  join,
  lane64,
  load128,
  LOOP,
  set,
  store128,
  upperHalf,
  V128,
  type WasmFunction,
} from "../util/wasm-code.ts";
import { instantiate, type WasmMemory } from "../util/wasm-memory.ts";

/** Numbers of a step as the routine wants them, each already what it multiplies, adds or divides by. */
export interface AdamWFactors {
  /** Of the gradient: the clipping factor. */
  readonly gradient: number;
  /** 1 − lr·weightDecay */
  readonly decay: number;
  /** 1 − β₁ */
  readonly first: number;
  /** β₂ */
  readonly second: number;
  /** 1 − β₂ */
  readonly secondNew: number;
  /** √(1 − β₂ᵗ) */
  readonly secondBias: number;
  readonly epsilon: number;
  /** −lr / (1 − β₁ᵗ) */
  readonly step: number;
}

/** Byte addresses, all multiples of 16; ranges are whole multiples of 16 bytes and not empty. */
export interface AdamWKernel {
  /** Updates weights [at, end), their two moments and nothing else, from the gradient. */
  update(
    at: number,
    end: number,
    firstMoment: number,
    secondMoment: number,
    gradient: number,
    factors: AdamWFactors,
  ): void;
  /** Σ x² over [at, end), in double precision. */
  sumSquares(at: number, end: number): number;
}

/** The kernel over one memory. */
export function createAdamWKernel(memory: WasmMemory): AdamWKernel {
  const exports = instantiate([UPDATE, SUM_SQUARES], memory);
  const update = exports["update"] as (...numbers: number[]) => void; // as declared below
  const sumSquares = exports["sumSquares"] as (at: number, end: number) => number;
  return {
    sumSquares,
    update: (at, end, firstMoment, secondMoment, gradient, f) =>
      update(
        at,
        end,
        firstMoment,
        secondMoment,
        gradient,
        f.gradient,
        f.decay,
        f.first,
        f.second,
        f.secondNew,
        f.secondBias,
        f.epsilon,
        f.step,
      ),
  };
}

// Parameters of `update`, then its locals.
const AT = 0;
const LIMIT = 1;
const FIRST = 2;
const SECOND = 3;
const GRADIENT = 4;
const FACTORS = [5, 6, 7, 8, 9, 10, 11, 12] as const;
const SPREAD = [13, 14, 15, 16, 17, 18, 19, 20] as const;
const [BY_CLIP, BY_DECAY, BY_NEW, BY_OLD_SQUARE, BY_NEW_SQUARE, BIAS, EPSILON, STEP] = SPREAD;
const G = 21;
const M = 22;
const V = 23;

const UPDATE: WasmFunction = {
  name: "update",
  parameters: [I32, I32, I32, I32, I32, ...FACTORS.map(() => F32)],
  results: [],
  locals: [...SPREAD, G, M, V].map(() => V128),
  body: join(
    FACTORS.flatMap((factor, i) => join(get(factor), F32X4_SPLAT, set(SPREAD[i]!))),
    LOOP,
    join(get(GRADIENT), load128(0), get(BY_CLIP), F32X4_MUL, set(G)),
    // m += (g − m)(1 − β₁)
    join(get(FIRST), load128(0), set(M)),
    join(get(M), get(G), get(M), F32X4_SUB, get(BY_NEW), F32X4_MUL, F32X4_ADD, set(M)),
    join(get(FIRST), get(M), store128(0)),
    // v = β₂v + (1 − β₂)g²
    join(get(SECOND), load128(0), get(BY_OLD_SQUARE), F32X4_MUL),
    join(get(BY_NEW_SQUARE), get(G), F32X4_MUL, get(G), F32X4_MUL, F32X4_ADD, set(V)),
    join(get(SECOND), get(V), store128(0)),
    // w = w(1 − lr·decay) − step · m / (√v/bias + ε)
    get(AT),
    join(get(AT), load128(0), get(BY_DECAY), F32X4_MUL),
    join(get(M), get(V), F32X4_SQRT, get(BIAS), F32X4_DIV, get(EPSILON), F32X4_ADD, F32X4_DIV),
    join(get(STEP), F32X4_MUL, F32X4_ADD, store128(0)),
    [FIRST, SECOND, GRADIENT, AT].flatMap((local) => advance(local, 16)),
    join(get(AT), get(LIMIT), I32_LT_U, [BRANCH_IF, 0, END]),
  ),
};

const X = 2;
const LOW = 3;
const HIGH = 4;
const X_WIDE = 5;

const SUM_SQUARES: WasmFunction = {
  name: "sumSquares",
  parameters: [I32, I32],
  results: [F64],
  locals: [V128, V128, V128, V128],
  body: join(
    [LOW, HIGH].flatMap((sum) => join(constant128([0, 0, 0, 0]), set(sum))),
    LOOP,
    join(get(AT), load128(0), set(X)),
    addSquares(LOW, get(X)),
    addSquares(HIGH, upperHalf(X)),
    advance(AT, 16),
    join(get(AT), get(LIMIT), I32_LT_U, [BRANCH_IF, 0, END]),
    join(get(LOW), get(HIGH), F64X2_ADD, set(LOW)),
    join(lane64(LOW, 0), lane64(LOW, 1), F64_ADD),
  ),
};

/** sum += the squares of the two lower floats of `vector`. */
function addSquares(sum: number, vector: readonly number[]): number[] {
  const wide = join(vector, F64X2_PROMOTE_LOW, set(X_WIDE));
  return join(wide, get(sum), get(X_WIDE), get(X_WIDE), F64X2_MUL, F64X2_ADD, set(sum));
}
