/**
 * @file L2 logistic regression by Newton's method, its linear systems solved by conjugate gradients.
 *
 * Minimises |w|²/2 + C Σ s_i log(1 + exp(−y_i (z_i·w + b))), b not penalised: scikit-learn's LogisticRegression with the same C.
 */
import { dot, norm } from "../util/vector.ts";

/** m rows of r coordinates, each with its class and weight. */
export interface LogisticProblem {
  readonly rank: number;
  /** [m, r] */
  readonly rows: Float64Array;
  /** [m], 0 or 1. */
  readonly labels: Uint8Array;
  /** [m], above 0. */
  readonly weights: Float64Array;
}

/** A fitted classifier. */
export interface LogisticFit {
  /** [r + 1]: the weights, then the intercept. */
  readonly parameters: Float64Array;
  /** [m]: C s_i (t_i − p_i). At the optimum the weights are Σ residual_i z_i, in whatever coordinates the rows have. */
  readonly residuals: Float64Array;
}

export interface LogisticSettings {
  /** C, the inverse strength of the penalty. */
  readonly strength: number;
  /** Largest error of the weights, as a share of their length. */
  readonly tolerance: number;
  /** Where to start; default: zero. */
  readonly start?: Float64Array | undefined;
}

const MAX_STEPS = 200;
/** A gradient that is this share of its length at zero weights is rounding. */
const ROUNDING = 1e-13;

/** Fits the classifier; both classes occur. Converges for separable classes too, since the weights are penalised. */
export function fitLogistic(problem: LogisticProblem, settings: LogisticSettings): LogisticFit {
  const { strength, tolerance, start } = settings;
  const size = problem.rank + 1;
  const rounding = ROUNDING * norm(evaluate(problem, new Float64Array(size), strength).gradient);
  let parameters: Float64Array = start?.slice() ?? new Float64Array(size);
  let state = evaluate(problem, parameters, strength);
  // The penalty alone curves by 1, so the weights are no further from the optimum than the gradient is long.
  const isFar = (): boolean =>
    norm(state.gradient) > Math.max(rounding, tolerance * norm(parameters.subarray(0, size - 1)));
  for (let step = 0; step < MAX_STEPS && isFar(); step++) {
    const direction = newtonDirection(problem, state);
    const next = searchLine(problem, { parameters, state, direction, strength });
    // Rounding leaves nothing to gain.
    if (next === undefined) break;
    ({ parameters, state } = next);
  }
  return { parameters, residuals: state.residuals };
}

/** The mean loss of held-out rows under `parameters`, by weight. */
export function logisticLoss(problem: LogisticProblem, parameters: Float64Array): number {
  const { labels, weights } = problem;
  const margins = multiply(problem, parameters);
  let loss = 0;
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    loss += weights[i]! * softplus(labels[i] === 1 ? -margins[i]! : margins[i]!);
    total += weights[i]!;
  }
  return loss / total;
}

interface State {
  readonly value: number;
  readonly gradient: Float64Array;
  /** [m] */
  readonly residuals: Float64Array;
  /** [m]: C s_i p_i (1 − p_i). */
  readonly curvatures: Float64Array;
}

function evaluate(problem: LogisticProblem, parameters: Float64Array, strength: number): State {
  const { labels, weights, rank } = problem;
  const margins = multiply(problem, parameters);
  const residuals = new Float64Array(labels.length);
  const curvatures = new Float64Array(labels.length);
  let value = 0;
  for (let j = 0; j < rank; j++) value += (parameters[j]! * parameters[j]!) / 2;
  for (let i = 0; i < labels.length; i++) {
    const scale = strength * weights[i]!;
    // exp of a positive number may overflow; of a negative one never.
    const small = Math.exp(-Math.abs(margins[i]!));
    const p = margins[i]! >= 0 ? 1 / (1 + small) : small / (1 + small);
    // 1 − p without its cancellation near 1.
    const q = margins[i]! >= 0 ? small / (1 + small) : 1 / (1 + small);
    value += scale * softplus(labels[i] === 1 ? -margins[i]! : margins[i]!);
    residuals[i] = scale * (labels[i] === 1 ? q : -p);
    curvatures[i] = scale * p * q;
  }
  const gradient = multiplyTransposed(problem, residuals);
  for (let j = 0; j < gradient.length; j++) {
    gradient[j] = (j < rank ? parameters[j]! : 0) - gradient[j]!;
  }
  return { value, gradient, residuals, curvatures };
}

/** Solves H d = −gradient by conjugate gradients with a diagonal preconditioner, the more exactly the nearer the optimum. */
function newtonDirection(problem: LogisticProblem, { gradient, curvatures }: State): Float64Array {
  const size = gradient.length;
  const diagonal = hessianDiagonal(problem, curvatures);
  const direction = new Float64Array(size);
  const rest = gradient.map((each) => -each);
  let scaled = rest.map((each, j) => each / diagonal[j]!);
  let search = scaled.slice();
  let product = dot(rest, scaled);
  const enough = Math.min(0.1, Math.sqrt(norm(gradient)) * 1e-2) * norm(gradient);
  for (let step = 0; step < 2 * size && norm(rest) > enough; step++) {
    const image = multiplyHessian(problem, curvatures, search);
    const along = product / dot(search, image);
    for (let j = 0; j < size; j++) {
      direction[j]! += along * search[j]!;
      rest[j]! -= along * image[j]!;
    }
    scaled = rest.map((each, j) => each / diagonal[j]!);
    const next = dot(rest, scaled);
    search = search.map((each, j) => scaled[j]! + (next / product) * each);
    product = next;
  }
  return direction;
}

/** Halves the step until the value falls by a share of what the slope promises; undefined where no step does. */
function searchLine(
  problem: LogisticProblem,
  from: {
    readonly parameters: Float64Array;
    readonly state: State;
    readonly direction: Float64Array;
    readonly strength: number;
  },
): { readonly parameters: Float64Array; readonly state: State } | undefined {
  const { parameters, state, direction, strength } = from;
  const slope = dot(state.gradient, direction);
  for (let step = 1; step > 1e-6; step /= 2) {
    const moved = parameters.map((each, j) => each + step * direction[j]!);
    const next = evaluate(problem, moved, strength);
    const isLower = next.value <= state.value + 1e-4 * step * slope;
    // Near the optimum the value no longer resolves the step, but the gradient does.
    if (isLower || (step === 1 && norm(next.gradient) < 0.5 * norm(state.gradient))) {
      return { parameters: moved, state: next };
    }
  }
  return undefined;
}

function multiplyHessian(
  problem: LogisticProblem,
  curvatures: Float64Array,
  vector: Float64Array,
): Float64Array {
  const images = multiply(problem, vector);
  for (let i = 0; i < images.length; i++) images[i]! *= curvatures[i]!;
  const product = multiplyTransposed(problem, images);
  for (let j = 0; j < problem.rank; j++) product[j]! += vector[j]!;
  return product;
}

function hessianDiagonal({ rank, rows }: LogisticProblem, curvatures: Float64Array): Float64Array {
  const diagonal = new Float64Array(rank + 1).fill(1, 0, rank);
  for (const [i, curvature] of curvatures.entries()) {
    for (let j = 0; j < rank; j++) diagonal[j]! += curvature * rows[i * rank + j]! ** 2;
    diagonal[rank]! += curvature;
  }
  // Where every row is certain, nothing holds the intercept.
  diagonal[rank] = Math.max(diagonal[rank]!, 1e-12);
  return diagonal;
}

/** [m]: each row times the weights, plus the intercept. */
function multiply({ rank, rows }: LogisticProblem, parameters: Float64Array): Float64Array {
  const products = new Float64Array(rows.length / rank);
  for (let i = 0; i < products.length; i++) {
    let sum = parameters[rank]!;
    for (let j = 0; j < rank; j++) sum += rows[i * rank + j]! * parameters[j]!;
    products[i] = sum;
  }
  return products;
}

/** [r + 1]: the sum of the rows by `factors`, then the sum of the factors. */
function multiplyTransposed({ rank, rows }: LogisticProblem, factors: Float64Array): Float64Array {
  const sum = new Float64Array(rank + 1);
  for (let i = 0; i < factors.length; i++) {
    const factor = factors[i]!;
    for (let j = 0; j < rank; j++) sum[j]! += factor * rows[i * rank + j]!;
    sum[rank]! += factor;
  }
  return sum;
}

/** log(1 + exp(x)) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
