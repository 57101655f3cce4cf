import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OnnxWriter, type OpDefinition, type Tensor } from "../graph.ts";
import { expectEqualDims, expectRank, formatShape } from "../shape.ts";
import type { AttentionAttributes } from "./attention.ts";

export const cachedAttentionOp: OpDefinition<AttentionAttributes> = {
  kind: "cachedAttention",
  infer(inputs, { heads, keyHeads }) {
    const [query, key, value, keyCache, valueCache, bias] = inputs;
    if (
      query === undefined ||
      key === undefined ||
      value === undefined ||
      keyCache === undefined ||
      valueCache === undefined ||
      bias === undefined
    ) {
      throw new Error("internal: cachedAttention takes six inputs");
    }
    for (const each of [query, key, value]) expectRank("cachedAttention", each, 3);
    for (const each of [keyCache, valueCache, bias]) expectRank("cachedAttention cache", each, 5);
    expectEqualDims("cachedAttention bias columns", bias.shape[4], keyCache.shape[3]);
    const headDim = Number(query.shape[2]) / heads;
    const fits =
      query.shape[1] === 1 &&
      Number(key.shape[2]) === keyHeads * headDim &&
      formatShape(key.shape) === formatShape(value.shape) &&
      formatShape(keyCache.shape) === formatShape(valueCache.shape) &&
      keyCache.shape[1] === keyHeads &&
      keyCache.shape[4] === headDim;
    if (heads % keyHeads !== 0 || !fits) {
      throw new ShapeError(
        `cachedAttention: ${heads} query heads and ${keyHeads} key heads do not fit query ${formatShape(query.shape)}, key ${formatShape(key.shape)} and cache ${formatShape(keyCache.shape)}`,
      );
    }
    return { dtype: query.dtype, shape: query.shape };
  },
  lower(writer, names, { inputs, attributes: { heads, keyHeads, scale, softcap } }) {
    const [query, key, value, keyCache, valueCache, bias] = names as [
      string, // six inputs, checked by infer
      string,
      string,
      string,
      string,
      string,
    ];
    const headDim = Number(inputs[0]!.shape[2]) / heads; // infer checked the shape
    const perHead = (x: string, group: number): string =>
      reshapeTo(writer, x, [-1, keyHeads, group, 1, headDim]);
    const times = (x: string, factor: number): string =>
      writer.node("Mul", [x, writer.constant("float32", [], [factor])]);
    // One query row at a time: ONNX Runtime then reads the cached matrices in place, where several rows would have them packed first.
    const scaled = perHead(times(query, scale), heads / keyHeads);
    const timesKeys = (keys: string): string => {
      const product = writer.node(
        "FusedMatMul",
        [scaled, keys],
        { transB: int(1) },
        { domain: "com.microsoft" },
      );
      return softcap === undefined
        ? product
        : times(writer.node("Tanh", [times(product, 1 / softcap)]), softcap);
    };
    const scores = writer.node(
      "Concat",
      [writer.node("Add", [timesKeys(keyCache), bias]), timesKeys(perHead(key, 1))],
      { axis: int(-1) },
    );
    const shares = writer.node("Softmax", [scores], { axis: int(-1) });
    const slice = (from: number, to: number): string =>
      writer.node("Slice", [
        shares,
        ...[from, to, -1].map((n) => writer.constant("int64", [1], [n])),
      ]);
    const mixed = writer.node("Add", [
      writer.node("MatMul", [slice(0, -1), valueCache]),
      writer.node("Mul", [slice(-1, Number.MAX_SAFE_INTEGER), perHead(value, 1)]),
    ]);
    return reshapeTo(writer, mixed, [-1, 1, heads * headDim]);
  },
  // For sampling alone; training runs whole sequences through `attention`.
  gradient: "none",
};

function reshapeTo(writer: OnnxWriter, x: string, sizes: readonly number[]): string {
  return writer.node("Reshape", [x, writer.constant("int64", [sizes.length], sizes)]);
}

/**
 * Attention of one new token a row over cached keys and itself: softmax over both together, the cache read in place.
 * query [B, 1, heads·d], key and value of the new token [B, 1, keyHeads·d], caches [B, keyHeads, 1, S, d], bias [B, 1, 1, 1, S] with a
 * large negative number at cache rows that the token must not see. Returns [B, 1, heads·d].
 */
export const cachedAttention = (
  query: Tensor,
  own: { readonly key: Tensor; readonly value: Tensor },
  cache: { readonly key: Tensor; readonly value: Tensor; readonly bias: Tensor },
  attributes: AttentionAttributes,
): Tensor =>
  apply(
    cachedAttentionOp,
    [query, own.key, own.value, cache.key, cache.value, cache.bias],
    attributes,
  );
