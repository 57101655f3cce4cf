import { float } from "../../format/onnx.ts";
import { apply, type OpDefinition, type OnnxWriter, type Tensor } from "../graph.ts";
import { expectFloat } from "../shape.ts";

/** Elementwise float ops over one operand. */
function defineUnary(
  kind: string,
  lower: (writer: OnnxWriter, name: string) => string,
): OpDefinition<undefined> {
  return {
    kind,
    infer([x]) {
      if (x === undefined) throw new Error(`internal: ${kind} takes one input`);
      expectFloat(kind, x);
      return { dtype: x.dtype, shape: x.shape };
    },
    lower: (writer, [name]) => lower(writer, name!), // one input, checked by infer
    gradient: "pending",
  };
}

export const cosineOp = defineUnary("cosine", (writer, x) => writer.node("Cos", [x]));
export const sineOp = defineUnary("sine", (writer, x) => writer.node("Sin", [x]));
/** ONNX Runtime's QuickGelu is x·σ(αx): with α = 1 it is SiLU in one pass, where Sigmoid and Mul take two. */
export const siluOp = defineUnary("silu", (writer, x) =>
  writer.node("QuickGelu", [x], { alpha: float(1) }, { domain: "com.microsoft" }),
);

/** cos x, radians. */
export const cosine = (x: Tensor): Tensor => apply(cosineOp, [x], undefined);
/** sin x, radians. */
export const sine = (x: Tensor): Tensor => apply(sineOp, [x], undefined);
/** x·σ(x). */
export const silu = (x: Tensor): Tensor => apply(siluOp, [x], undefined);
