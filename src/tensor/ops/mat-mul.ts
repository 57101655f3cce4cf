import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { broadcastShapes, expectFloat, formatShape } from "../shape.ts";

export const matMulOp: OpDefinition<undefined> = {
  kind: "matMul",
  infer([a, b]) {
    if (a === undefined || b === undefined) throw new Error("internal: matMul takes two inputs");
    expectFloat("matMul", a);
    if (a.dtype !== b.dtype || a.shape.length < 2 || b.shape.length < 2) {
      throw new ShapeError(
        `matMul: expected two matrices of one type, got ${a.dtype} ${formatShape(a.shape)} and ${b.dtype} ${formatShape(b.shape)}`,
      );
    }
    if (a.shape.at(-1) !== b.shape.at(-2)) {
      throw new ShapeError(
        `matMul: inner sizes differ, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      );
    }
    const batch = broadcastShapes("matMul", a.shape.slice(0, -2), b.shape.slice(0, -2));
    return { dtype: a.dtype, shape: [...batch, a.shape.at(-2)!, b.shape.at(-1)!] };
  },
  lower: (writer, names) => writer.node("MatMul", names),
  gradient: "pending",
};

/** a [..., M, K] · b [..., K, N] = [..., M, N], leading axes broadcasting. */
export const matMul = (a: Tensor, b: Tensor): Tensor => apply(matMulOp, [a, b], undefined);
