import { int, ONNX_ELEMENT_TYPE } from "../../format/onnx.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import type { DType } from "../shape.ts";

export const castOp: OpDefinition<{ dtype: DType }> = {
  kind: "cast",
  infer([x], { dtype }) {
    if (x === undefined) throw new Error("internal: cast takes one input");
    return { dtype, shape: x.shape };
  },
  lower: (writer, names, { attributes }) =>
    writer.node("Cast", names, { to: int(ONNX_ELEMENT_TYPE[attributes.dtype]) }),
  // A float loses some digits and no more; an integer or a boolean has no gradient.
  gradient: ({ inputs: [x] }, g) => [
    x?.dtype === "float32" || x?.dtype === "float16" ? cast(g, x.dtype) : undefined,
  ],
};

/** The same values in another element type. */
export const cast = (x: Tensor, dtype: DType): Tensor => apply(castOp, [x], { dtype });
