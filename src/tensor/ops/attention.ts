import { float, int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import {
  apply,
  type DoneCall,
  type OpCall,
  type OnnxWriter,
  type OpDefinition,
  scalar,
  type Tensor,
} from "../graph.ts";
import { type Dim, expectEqualDims, expectRank, formatShape, type TensorType } from "../shape.ts";
import { multiply, subtract } from "./arithmetic.ts";
import { sumTo } from "./broadcast.ts";
import { matMul } from "./mat-mul.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";
import { tanh } from "./unary.ts";

export interface AttentionAttributes {
  readonly heads: number;
  /** Divides `heads`: each key head serves heads / keyHeads query heads (grouped-query attention). */
  readonly keyHeads: number;
  readonly scale: number;
  /** Scaled scores s become c·tanh(s/c), before the bias is added. Default: they stay as they are. */
  readonly softcap?: number | undefined;
  /**
   * In how many pieces the queries are taken, one behind the other: each meets the keys up to its own last query, so that scores that
   * the bias hides are not computed. The bias must hide from query t all keys behind S − T + t, and T be `pieces` at least. Default: 1.
   */
  readonly pieces?: number | undefined;
}

function inferAttention(
  kind: string,
  [query, key, value, bias]: readonly TensorType[],
  { heads, keyHeads }: AttentionAttributes,
): { readonly query: TensorType; readonly key: TensorType; readonly value: TensorType } {
  if (query === undefined || key === undefined || value === undefined || bias === undefined) {
    throw new Error(`internal: ${kind} takes four inputs`);
  }
  for (const each of [query, key, value]) expectRank(kind, each, 3);
  expectRank(`${kind} bias`, bias, 4);
  expectEqualDims(`${kind} keys`, key.shape[1], value.shape[1]);
  expectEqualDims(`${kind} bias rows`, bias.shape[2], query.shape[1]);
  expectEqualDims(`${kind} bias columns`, bias.shape[3], key.shape[1]);
  const headDim = Number(query.shape[2]) / heads;
  if (heads % keyHeads !== 0 || Number(key.shape[2]) !== keyHeads * headDim) {
    throw new ShapeError(
      `${kind}: ${heads} query heads and ${keyHeads} key heads do not fit ${formatShape(query.shape)} and ${formatShape(key.shape)}`,
    );
  }
  return { query, key, value };
}

/** Output 0 of the kernel is the result; output 3, in mode 3, the matrix after the softmax. */
function attentionNode(
  writer: OnnxWriter,
  names: readonly string[],
  { heads, keyHeads, scale, softcap }: AttentionAttributes,
  output: number,
): string {
  return writer.node(
    "Attention",
    names,
    {
      q_num_heads: int(heads),
      kv_num_heads: int(keyHeads),
      scale: float(scale),
      ...(softcap === undefined ? {} : { softcap: float(softcap) }),
      qk_matmul_output_mode: int(3),
    },
    { output },
  );
}

/** The result, piece by piece; T and S are known at run time alone. */
function lowerPieces(
  writer: OnnxWriter,
  [query, key, value, bias]: readonly [string, string, string, string],
  { attributes, inputs }: OpCall<AttentionAttributes>,
): string {
  const { pieces = 1 } = attributes;
  const valueWidth = inputs[2]!.shape[2] as number; // widths have no names
  const whole = (values: readonly number[]): string =>
    writer.constant("int64", [values.length], values);
  // Of the bias, which all layers share: the same sizes and cuts serve them all.
  const [queries, keys] = [2, 3].map((axis) =>
    writer.node("Shape", [bias], { start: int(axis), end: int(axis + 1) }),
  ) as [string, string];
  const before = writer.node("Sub", [keys, queries]);
  const cut = (piece: number): string =>
    writer.node("Div", [writer.node("Mul", [queries, whole([piece])]), whole([pieces])]);
  const zero = whole([0]);
  const found = Array.from({ length: pieces }, (_, piece) => {
    const [start, end] = [piece === 0 ? zero : cut(piece), cut(piece + 1)];
    const seen = writer.node("Add", [before, end]);
    const join = (...each: string[]): string => writer.node("Concat", each, { axis: int(0) });
    const keysSeen = (x: string): string =>
      piece === pieces - 1 ? x : writer.node("Slice", [x, zero, seen, whole([1])]);
    // ONNX Runtime forgets the width of a slice whose ends it does not know, and then takes the result's width for 0.
    const valuesSeen = writer.node("Reshape", [keysSeen(value), whole([0, -1, valueWidth])]);
    return attentionNode(
      writer,
      [
        writer.node("Slice", [query, start, end, whole([1])]),
        keysSeen(key),
        valuesSeen,
        writer.node("Slice", [bias, join(start, zero), join(end, seen), whole([2, 3])]),
      ],
      attributes,
      0,
    );
  });
  return writer.node("Concat", found, { axis: int(1) });
}

export const attentionOp: OpDefinition<AttentionAttributes> = {
  kind: "attention",
  infer(inputs, attributes) {
    const { query, value } = inferAttention("attention", inputs, attributes);
    const valueDim = Number(value.shape[2]) / attributes.keyHeads;
    return { dtype: query.dtype, shape: [...query.shape.slice(0, 2), attributes.heads * valueDim] };
  },
  lower: (writer, names, call) =>
    (call.attributes.pieces ?? 1) === 1
      ? attentionNode(writer, names, call.attributes, 0)
      : lowerPieces(writer, names as readonly [string, string, string, string], call), // four, checked by infer
  /**
   * For each head, with P the probabilities and O = P·V: dV = Pᵀ·dO, dP = dO·Vᵀ, and through the softmax dS = P∘(dP − Σ dP∘P),
   * where the sum over keys equals Σ dO∘O over the head's components (Dao et al. 2022, appendix B.4).
   */
  gradient(call, g) {
    const { inputs, attributes, output } = call;
    const { heads, keyHeads } = attributes;
    const [query, key, value, bias] = inputs as readonly [Tensor, Tensor, Tensor, Tensor]; // four, checked by infer
    const grouped = groupHeads(
      attentionProbabilities(query, key, value, bias, attributes),
      keyHeads,
    );
    const outputGradient = splitHeads(g, heads, keyHeads); // [B, K, G, T, d]
    const valueGradient = sumGroup(matMul(grouped, outputGradient, { transposeA: true }));
    const dP = matMul(outputGradient, splitHeads(value, keyHeads, keyHeads), { transposeB: true });
    const weighted = sumTo(splitHeads(multiply(g, output), heads, keyHeads), [
      ...grouped.shape.slice(0, 4),
      1,
    ]);
    const scores = multiply(grouped, subtract(dP, weighted));
    return scoreGradients(call, scores, mergeHeads(valueGradient, value));
  },
};

export const attentionProbabilitiesOp: OpDefinition<AttentionAttributes> = {
  kind: "attentionProbabilities",
  infer(inputs, attributes) {
    const { query, key } = inferAttention("attentionProbabilities", inputs, attributes);
    const [b, t] = query.shape as readonly [Dim, Dim, Dim]; // three axes, checked
    return { dtype: query.dtype, shape: [b, attributes.heads, t, key.shape[1]!] };
  },
  lower: (writer, names, { attributes }) => attentionNode(writer, names, attributes, 3),
  // Softmax: dS = P∘(g − Σ g∘P), the sum over keys.
  gradient(call, g) {
    const { attributes, output } = call;
    const weighted = sumTo(multiply(g, output), [...output.shape.slice(0, 3), 1]);
    const scores = multiply(output, subtract(g, weighted));
    return scoreGradients(call, groupHeads(scores, attributes.keyHeads), undefined);
  },
};

/**
 * softmax(scale · q·kᵀ + bias)·v for each head, with `softcap` c softmax(c·tanh(scale/c · q·kᵀ) + bias)·v (Vaswani et al. 2017, eq. 1).
 * query [B, T, heads·d], key and value [B, S, keyHeads·d], bias [B or 1, 1, T, S] with a large negative number where a query must
 * not see a key. Returns [B, T, heads·d].
 */
export const attention = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  bias: Tensor,
  attributes: AttentionAttributes,
): Tensor => apply(attentionOp, [query, key, value, bias], attributes);

/**
 * softmax(scale · q·kᵀ + bias), [B, heads, T, S]: a by-product of `attention` with the same arguments, and nearly free where that is
 * used as well.
 */
export const attentionProbabilities = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  bias: Tensor,
  attributes: AttentionAttributes,
): Tensor => apply(attentionProbabilitiesOp, [query, key, value, bias], attributes);

/**
 * Gradients of query, key, value and bias, given that of the scores S = scale·Q·Kᵀ + bias: dQ = scale·dS·K, dK = scale·dSᵀ·Q. With a
 * cap c, dS is first multiplied by the slope 1 − tanh²(scale·Q·Kᵀ/c).
 */
function scoreGradients(
  { inputs, attributes }: DoneCall<AttentionAttributes>,
  scores: Tensor,
  valueGradient: Tensor | undefined,
): readonly (Tensor | undefined)[] {
  const { heads, keyHeads, scale, softcap } = attributes;
  const [query, key, , bias] = inputs as readonly [Tensor, Tensor, Tensor, Tensor]; // four, checked by infer
  const queries = splitHeads(query, heads, keyHeads);
  const keys = splitHeads(key, keyHeads, keyHeads);
  const products =
    softcap === undefined
      ? scores
      : multiply(scores, capSlope(matMul(queries, keys, { transposeB: true, scale }), softcap));
  const overKeyHeads = sumTo(scores, [...scores.shape.slice(0, 1), 1, 1, ...scores.shape.slice(3)]);
  const [b, , , t, s] = overKeyHeads.shape as readonly [Dim, Dim, Dim, Dim, Dim]; // five axes
  return [
    mergeHeads(matMul(products, keys, { scale }), query),
    mergeHeads(sumGroup(matMul(products, queries, { transposeA: true, scale })), key),
    valueGradient,
    sumTo(reshape(overKeyHeads, [b, 1, t, s]), bias.shape),
  ];
}

/** The slope of c·tanh(s/c) at s: 1 − tanh²(s/c). */
function capSlope(scores: Tensor, softcap: number): Tensor {
  const capped = tanh(multiply(scores, scalar(1 / softcap)));
  return subtract(scalar(1), multiply(capped, capped));
}

/** [B, T, heads·d] as [B, K, G, T, d]: G = heads / K query heads share a key head; keys and values have G = 1. */
function splitHeads(x: Tensor, heads: number, keyHeads: number): Tensor {
  const [b, t, width] = x.shape as readonly [Dim, Dim, Dim]; // three axes, checked by infer
  const split = reshape(x, [b, t, keyHeads, heads / keyHeads, Number(width) / heads]);
  return transpose(split, [0, 2, 3, 1, 4]);
}

/** Undoes splitHeads, into the shape of `like` [B, T, heads·d]. */
function mergeHeads(x: Tensor, like: Tensor): Tensor {
  return reshape(transpose(x, [0, 3, 1, 2, 4]), like.shape);
}

/** [B, heads, T, S] as [B, K, G, T, S]. */
function groupHeads(x: Tensor, keyHeads: number): Tensor {
  const [b, heads, ...rest] = x.shape as readonly [Dim, number, ...Dim[]]; // as attentionProbabilities infers it
  return reshape(x, [b, keyHeads, heads / keyHeads, ...rest]);
}

/** Sums over the query heads that share a key head: [B, K, G, …] to [B, K, 1, …]. */
function sumGroup(x: Tensor): Tensor {
  return sumTo(x, [...x.shape.slice(0, 2), 1, ...x.shape.slice(3)]);
}
