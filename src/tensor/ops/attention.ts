import { float, int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectEqualDims, expectRank, formatShape } from "../shape.ts";

export interface AttentionAttributes {
  readonly heads: number;
  /** Divides `heads`: each key head serves heads / keyHeads query heads (grouped-query attention). */
  readonly keyHeads: number;
  readonly scale: number;
}

export const attentionOp: OpDefinition<AttentionAttributes> = {
  kind: "attention",
  infer([query, key, value, bias], { heads, keyHeads }) {
    if (query === undefined || key === undefined || value === undefined || bias === undefined) {
      throw new Error("internal: attention takes four inputs");
    }
    for (const each of [query, key, value]) expectRank("attention", each, 3);
    expectRank("attention bias", bias, 4);
    expectEqualDims("attention keys", key.shape[1], value.shape[1]);
    expectEqualDims("attention bias rows", bias.shape[2], query.shape[1]);
    expectEqualDims("attention bias columns", bias.shape[3], key.shape[1]);
    const headDim = Number(query.shape[2]) / heads;
    if (heads % keyHeads !== 0 || Number(key.shape[2]) !== keyHeads * headDim) {
      throw new ShapeError(
        `attention: ${heads} query heads and ${keyHeads} key heads do not fit ${formatShape(query.shape)} and ${formatShape(key.shape)}`,
      );
    }
    const valueDim = Number(value.shape[2]) / keyHeads;
    return { dtype: query.dtype, shape: [...query.shape.slice(0, 2), heads * valueDim] };
  },
  lower: (writer, names, { attributes: { heads, keyHeads, scale } }) =>
    writer.node("Attention", names, {
      q_num_heads: int(heads),
      kv_num_heads: int(keyHeads),
      scale: float(scale),
    }),
  gradient: "pending",
};

/**
 * softmax(scale · q·kᵀ + bias)·v for each head (Vaswani et al. 2017, eq. 1).
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
