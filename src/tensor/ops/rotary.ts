import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, scalar, type Tensor } from "../graph.ts";
import { type Dim, expectEqualDims, expectRank, formatShape } from "../shape.ts";
import { multiply } from "./arithmetic.ts";
import { broadcastLike, sumTo } from "./broadcast.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { negate } from "./unary.ts";

export const rotaryOp: OpDefinition<{ heads: number }> = {
  kind: "rotary",
  infer([x, cos, sin], { heads }) {
    if (x === undefined || cos === undefined || sin === undefined) {
      throw new Error("internal: rotary takes three inputs");
    }
    for (const each of [x, cos, sin]) expectRank("rotary", each, 3);
    for (const axis of [0, 1]) expectEqualDims("rotary", x.shape[axis], cos.shape[axis]);
    const width = x.shape[2];
    const headDim = Number(width) / heads;
    if (
      !Number.isInteger(headDim) ||
      headDim < 2 * Number(cos.shape[2]) ||
      formatShape(cos.shape) !== formatShape(sin.shape)
    ) {
      throw new ShapeError(
        `rotary: expected x [B, T, ${heads}·d] with cos and sin [B, T, r/2], r ≤ d, got ${[x, cos, sin].map((each) => formatShape(each.shape)).join(", ")}`,
      );
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  lower: (writer, names, { inputs, attributes: { heads } }) =>
    writer.node("RotaryEmbedding", names, {
      num_heads: int(heads),
      interleaved: int(0),
      rotary_embedding_dim: int(2 * Number(inputs[1]!.shape[2])), // three inputs, checked by infer
    }),
  /**
   * The rotation is linear in x and orthogonal: its transpose turns back by the same angle. In cos and sin it is linear as well:
   * y = x·cos + x⟂·sin for each pair, x⟂ being x turned by 90°; every head and both halves of a pair share them. What is not turned
   * has its gradient as it comes.
   */
  gradient({ inputs, attributes: { heads } }, g) {
    const [x, cos, sin] = inputs as readonly [Tensor, Tensor, Tensor]; // three, checked by infer
    const [b, t, half] = cos.shape as readonly [Dim, Dim, number]; // [B, T, r/2], checked by infer
    const headDim = Number(x.shape[2]) / heads;
    const turning = (y: Tensor): Tensor =>
      slice(reshape(y, [b, t, heads, headDim]), { axis: 3, start: 0, end: 2 * half });
    const turned = rotary(x, broadcastLike(scalar(0), cos), broadcastLike(scalar(1), sin), heads);
    const overHeads = (y: Tensor): Tensor =>
      reshape(sumTo(reshape(turning(y), [b, t, 2 * heads, half]), [b, t, 1, half]), cos.shape);
    return [
      rotary(g, cos, negate(sin), heads),
      overHeads(multiply(g, x)),
      overHeads(multiply(g, turned)),
    ];
  },
};

/**
 * Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face checkpoints: the i-th and the (i + r/2)-th
 * component of each head are one rotated pair, for i < r/2; the components from r on stay. x [B, T, heads·d], cos and sin [B, T, r/2].
 */
export const rotary = (x: Tensor, cos: Tensor, sin: Tensor, heads: number): Tensor =>
  apply(rotaryOp, [x, cos, sin], { heads });
