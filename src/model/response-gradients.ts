/**
 * @file The graph that gives every response a gradient of its own: of the sum of its tokens' log-probabilities, in the trained
 * parameters, multiplied by a random projection as it is made. Or every pair one, of its DPO loss.
 *
 * The gradient of a parameter is built as for training, where it ends in a sum over all tokens: Σ xₜᵀ·gₜ, x [m] what goes into a
 * matrix [m, n] and g [n] the gradient of what comes out. That sum alone is replaced, by one for each response, between two random
 * matrices: (X·P)ᵀ·(G·Q), P [m, p] and Q [n, q]. No [m, n] of a response is ever held. Lookups are matrices whose x is one-hot, a
 * vector (a bias, the weight of a norm) is a matrix with one row.
 *
 * Adam's step is no linear function of the gradient: before it [m, n] of every pair of a run are held, and projected behind it.
 *
 * Shapes: B rows with one response each, or with one or both of a pair; T tokens a row, N response tokens of all rows, S of the row
 * that has most, P pairs, K = p·q.
 */
import { input, parameter, scalar, type Tensor } from "../tensor/graph.ts";
import { add, divide, multiply } from "../tensor/ops/arithmetic.ts";
import { sumTo } from "../tensor/ops/broadcast.ts";
import { gather } from "../tensor/ops/gather.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { transpose } from "../tensor/ops/transpose.ts";
import { squareRoot } from "../tensor/ops/unary.ts";
import { ConfigError, UnsupportedError } from "../util/errors.ts";
import type { LoadedModel } from "./model-family.ts";
import type { PreferenceLossSettings } from "./preference-loss.ts";
import type { RopeScaling } from "./rope.ts";
import {
  firstMomentName,
  gradientName,
  secondMomentName,
  type TrainedParameter,
  trainingGraph,
  type TrainingGraphSettings,
} from "./training-graph.ts";

/** The random matrices of one parameter's gradient, as parameters of the graph. */
export interface GradientProjection {
  /** The parameter whose gradient is projected. */
  readonly of: string;
  readonly side: "left" | "right";
  /** Of the graph's parameter. */
  readonly name: string;
  /** [size of the parameter on that side, size of the sketch on it]. */
  readonly shape: readonly [number, number];
}

export interface ResponseGradientsSettings extends Pick<
  TrainingGraphSettings,
  "lora" | "isTrained"
> {
  readonly sketch: SketchSize;
  /** Gradients of the loss of whole pairs. Default: of the log-probabilities of single responses. */
  readonly pairs?: PairGradients | undefined;
  /** Of a response's projection on DIRECTION at this layer instead of its log-probability; not of pairs. */
  readonly projectionAt?: number | undefined;
}

/** What of a pair's loss is projected. */
export interface PairGradients {
  readonly loss: PreferenceLossSettings;
  /** Adam's step on the pair alone instead of its gradient, see adamStep; its decay rates. Takes both moments as parameters. */
  readonly adam?: { readonly beta1: number; readonly beta2: number } | undefined;
}

/** A sketch is a matrix [left, right], given row by row. */
export interface SketchSize {
  readonly left: number;
  readonly right: number;
}

export interface ResponseGradientsGraph {
  /**
   * `logprobs` [R] (not of projections) and `sketch`, [B, K] or of pairs [P, K]. Inputs: those of responseLogprobs, for rows of one response each, and
   * `slots` and `slotShares`, see slotInputs. Of pairs also those of preferenceLoss, and `pairRows` [P, B], 1 where a row is a pair's.
   */
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly trained: readonly TrainedParameter[];
  /** What has to be bound beside the weights. */
  readonly projections: readonly GradientProjection[];
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

/** Builds the graph. Throws UnsupportedError where a trained parameter is used in a way whose sum over tokens is not known here. */
export function responseGradients(
  model: LoadedModel,
  { sketch, pairs, projectionAt, ...which }: ResponseGradientsSettings,
): ResponseGradientsGraph {
  const { outputs, trained, frequencyInputs } = trainingGraph(model, {
    objective: objectiveOf({ pairs, projectionAt }),
    ...which,
  });
  if (trained.length === 0) {
    throw new ConfigError(
      "parameters: expected a pattern that fits names of weights, got one that fits none",
      {
        hint: "Names are those of the checkpoint's tensors, like model.layers.0.mlp.down_proj.weight.",
      },
    );
  }
  const projections: GradientProjection[] = [];
  const sketches = trained.map((each) => {
    const [rows, columns] = matrixShape(each);
    const [left, right] = [
      projectionOf(each.name, "left", [rows, sketch.left]),
      projectionOf(each.name, "right", [columns, sketch.right]),
    ];
    projections.push(left, right);
    const [P, Q] = [left, right].map(({ name, shape }) => parameter(name, shape)) as [
      Tensor,
      Tensor,
    ];
    const sums = sumsOf(outputs[gradientName(each.name)]!, each.name);
    for (const sum of sums) expectTokensOfRows(sum, each.name);
    return pairs?.adam === undefined
      ? total(sums.map((sum) => projected(sum, P, Q)))
      : matMul(transposed(P), matMul(adamStep(each, sums, pairs.adam), Q)); // [P, p, q]
  });
  const isOfRows = pairs?.adam === undefined;
  const sum = reshape(total(sketches), [isOfRows ? "B" : "P", sketch.left * sketch.right]);
  return {
    outputs: {
      ...(outputs["logprobs"] === undefined ? {} : { logprobs: outputs["logprobs"] }),
      sketch: pairs !== undefined && isOfRows ? matMul(pairRows(), sum) : sum,
    },
    trained,
    projections,
    frequencyInputs,
  };
}

function objectiveOf({
  pairs,
  projectionAt,
}: Pick<ResponseGradientsSettings, "pairs" | "projectionAt">): TrainingGraphSettings["objective"] {
  if (projectionAt !== undefined) return { kind: "projection", layer: projectionAt };
  return pairs === undefined ? { kind: "log-probability" } : { kind: "dpo", ...pairs.loss };
}

const total = (terms: readonly Tensor[]): Tensor => terms.reduce((sum, each) => add(sum, each));

/** [m, p] to [1, p, m]. */
function transposed(matrix: Tensor): Tensor {
  const [m, p] = matrix.shape as readonly [number, number]; // parameters have no named sizes
  return reshape(transpose(matrix, [1, 0]), [1, p, m]);
}

const pairRows = (): Tensor => input("pairRows", "float32", ["P", "B"]);

/** Inside the root, as LESS's code has it. */
const ADAM_EPSILON = 1e-8;

/**
 * (β₁m + (1 − β₁)g) / √(β₂v + (1 − β₂)g² + ε) of the gradient g of each pair's loss, [P, m, n]: what Adam with the moments m and v of
 * training would step along for this pair alone, its bias corrections left out (LESS, arXiv 2402.04333, section 3.1 and its code).
 * With m = 0, v = 0.01, g = 1 and the decay rates 0.9 and 0.999: 0.1 / √(0.00999 + 0.001) = 0.954.
 */
function adamStep(
  { name, shape }: TrainedParameter,
  sums: readonly TokenSum[],
  { beta1, beta2 }: NonNullable<PairGradients["adam"]>,
): Tensor {
  const [m, n] = matrixShape({ name, shape });
  const rows = reshape(total(sums.map((sum) => whole(sum, name))), ["B", m * n]);
  const g = matMul(pairRows(), rows); // [P, m·n]
  const [first, second] = [firstMomentName(name), secondMomentName(name)].map((moment) =>
    reshape(parameter(moment, shape), [1, m * n]),
  ) as [Tensor, Tensor];
  const above = add(multiply(first, scalar(beta1)), multiply(g, scalar(1 - beta1)));
  const below = add(
    add(multiply(second, scalar(beta2)), multiply(multiply(g, g), scalar(1 - beta2))),
    scalar(ADAM_EPSILON),
  );
  return reshape(divide(above, squareRoot(below)), ["P", m, n]);
}

function projectionOf(
  of: string,
  side: GradientProjection["side"],
  shape: GradientProjection["shape"],
): GradientProjection {
  return { of, side, name: `projection:${side}:${of}`, shape };
}

/** A parameter as the matrix that its gradient is: a vector has one row. */
export function matrixShape({ shape }: TrainedParameter): readonly [number, number] {
  const [rows, columns] = shape;
  return columns === undefined ? [1, rows!] : [rows!, columns];
}

/** Part of a gradient before it is summed over tokens: `left` and `right`, whose outer products are summed; or rows by ids. */
type TokenSum =
  | { readonly kind: "products"; readonly left: Tensor; readonly right: Tensor }
  | { readonly kind: "lookup"; readonly ids: Tensor; readonly right: Tensor }
  | { readonly kind: "vector"; readonly values: Tensor };

/** Takes the gradient of a parameter, as training has it, apart into its sums over tokens. */
function sumsOf(gradient: Tensor, name: string): readonly TokenSum[] {
  const { source } = gradient;
  const { kind, inputs, attributes } = source.kind === "op" ? source.op : NO_OP;
  const { scale = 1 } = (attributes ?? {}) as { readonly scale?: number };
  if (scale === 1) {
    switch (kind) {
      case "add":
        return inputs.flatMap((each) => sumsOf(each, name));
      case "reshape":
        return sumsOf(inputs[0]!, name);
      case "contractRows":
      case "matMul": {
        const [left, right] = inputs as readonly [Tensor, Tensor]; // both have two
        return left.shape.at(-1) === 1
          ? [{ kind: "vector", values: multiply(left, right) }]
          : [{ kind: "products", left, right }];
      }
      case "scatterRows":
        return [{ kind: "lookup", right: inputs[0]!, ids: inputs[1]! }];
      case "sumTo":
        return [{ kind: "vector", values: inputs[0]! }];
      default:
    }
  }
  throw new UnsupportedError(
    `gradients of single pairs: the gradient of "${name}" ends in ${kind}, which is not known to be a sum over tokens`,
    { hint: "Take LoRA factors, which are linear layers in every family." },
  );
}

/** Throws UnsupportedError where a sum runs over other tokens than each row's own: those that a router sent to an expert, say. */
function expectTokensOfRows(sum: TokenSum, name: string): void {
  const { shape } = sum.kind === "vector" ? sum.values : sum.right;
  if (shape.length > 2 || shape[0] === "N") return;
  throw new UnsupportedError(
    `gradients of single pairs: the gradient of "${name}" runs over tokens of all pairs together (${String(shape[0])})`,
    { hint: "--parameters takes other weights, such as self_attn." },
  );
}

const NO_OP = { kind: "no op", inputs: [] as readonly Tensor[], attributes: undefined } as const;

/** (X·P)ᵀ·(G·Q) of every row, [B, p, q]. */
function projected(term: TokenSum, left: Tensor, right: Tensor): Tensor {
  switch (term.kind) {
    case "products":
      return outer(matMul(term.left, left), matMul(term.right, right));
    case "lookup":
      return outer(gather(left, term.ids), matMul(term.right, right));
    case "vector":
      return multiply(
        reshape(left, [1, left.shape[1]!, 1]), // [1, p]: a vector has one row
        reshape(matMul(byRow(term.values), right), ["B", 1, right.shape[1]!]),
      );
  }
}

/** The gradient of every row, [B, m, n]. */
function whole(term: TokenSum, name: string): Tensor {
  switch (term.kind) {
    case "products":
      return outer(term.left, term.right);
    case "vector": {
      const values = byRow(term.values);
      return reshape(values, ["B", 1, values.shape[1]!]);
    }
    case "lookup":
      throw new UnsupportedError(
        `Adam's step on single pairs: the gradient of the table "${name}" would be held whole for every pair`,
        { hint: "Warm up with LoRA factors, or leave the table out with --parameters." },
      );
  }
}

/** Σₜ aₜᵀ·bₜ over the tokens of each row: a [B, T, p], b [B, T, q], or [N, p] and [N, q], to [B, p, q]. */
function outer(a: Tensor, b: Tensor): Tensor {
  return a.shape.length === 3
    ? matMul(a, b, { transposeA: true })
    : matMul(inRows(a), multiply(inRows(b), shares()), { transposeA: true });
}

/** Values of tokens, [B, T, …, n] or [N, n], summed over the tokens of each row: [B, n]. */
function byRow(values: Tensor): Tensor {
  const n = values.shape.at(-1)!;
  const tokens = values.shape.length === 2 ? multiply(inRows(values), shares()) : values;
  const ones = tokens.shape.slice(1, -1).map(() => 1);
  return reshape(sumTo(tokens, ["B", ...ones, n]), ["B", n]);
}

/** Values of response tokens [N, n] as rows of tokens, [B, S, n]. */
const inRows = (values: Tensor): Tensor => gather(values, input("slots", "int32", ["B", "S"]));

/** 1 where a row has a token, 0 behind its last. */
const shares = (): Tensor => input("slotShares", "float32", ["B", "S", 1]);
