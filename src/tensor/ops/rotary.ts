import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectEqualDims, expectRank, formatShape } from "../shape.ts";

export const rotaryOp: OpDefinition<{ heads: number }> = {
  kind: "rotary",
  infer([x, cos, sin], { heads }) {
    if (x === undefined || cos === undefined || sin === undefined) {
      throw new Error("internal: rotary takes three inputs");
    }
    for (const each of [x, cos, sin]) expectRank("rotary", each, 3);
    for (const axis of [0, 1]) expectEqualDims("rotary", x.shape[axis], cos.shape[axis]);
    const width = x.shape[2];
    if (
      width !== heads * 2 * Number(cos.shape[2]) ||
      formatShape(cos.shape) !== formatShape(sin.shape)
    ) {
      throw new ShapeError(
        `rotary: expected x [B, T, ${heads}·d] with cos and sin [B, T, d/2], got ${[x, cos, sin].map((each) => formatShape(each.shape)).join(", ")}`,
      );
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  lower: (writer, names, { attributes }) =>
    writer.node("RotaryEmbedding", names, {
      num_heads: int(attributes.heads),
      interleaved: int(0),
    }),
  gradient: "pending",
};

/**
 * Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face checkpoints: the i-th and the (i + d/2)-th
 * component of each head are one rotated pair. x [B, T, heads·d], cos and sin [B, T, d/2].
 */
export const rotary = (x: Tensor, cos: Tensor, sin: Tensor, heads: number): Tensor =>
  apply(rotaryOp, [x, cos, sin], { heads });
