import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { broadcastShapes } from "../shape.ts";

/** Elementwise ops over two broadcasting operands of one type, giving booleans. */
function defineComparison(kind: string, onnxType: string): OpDefinition<undefined> {
  return {
    kind,
    infer([a, b]) {
      if (a === undefined || b === undefined) throw new Error(`internal: ${kind} takes two inputs`);
      if (a.dtype !== b.dtype) {
        throw new ShapeError(`${kind}: expected one element type, got ${a.dtype} and ${b.dtype}`);
      }
      return { dtype: "bool", shape: broadcastShapes(kind, a.shape, b.shape) };
    },
    lower: (writer, names) => writer.node(onnxType, names),
    gradient: "none",
  };
}

export const equalOp = defineComparison("equal", "Equal");
export const lessOp = defineComparison("less", "Less");
export const lessOrEqualOp = defineComparison("lessOrEqual", "LessOrEqual");
export const andOp = defineComparison("and", "And");
export const orOp = defineComparison("or", "Or");

/** a = b. */
export const equal = (a: Tensor, b: Tensor): Tensor => apply(equalOp, [a, b], undefined);
/** a < b. */
export const less = (a: Tensor, b: Tensor): Tensor => apply(lessOp, [a, b], undefined);
/** a ≤ b. */
export const lessOrEqual = (a: Tensor, b: Tensor): Tensor =>
  apply(lessOrEqualOp, [a, b], undefined);
/** a and b, booleans. */
export const and = (a: Tensor, b: Tensor): Tensor => apply(andOp, [a, b], undefined);
/** a or b, booleans. */
export const or = (a: Tensor, b: Tensor): Tensor => apply(orOp, [a, b], undefined);
