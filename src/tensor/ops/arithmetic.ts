import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { broadcastShapes, expectFloat } from "../shape.ts";

/** Elementwise float ops over two broadcasting operands. */
function defineArithmetic(kind: string, onnxType: string): OpDefinition<undefined> {
  return {
    kind,
    infer([a, b]) {
      if (a === undefined || b === undefined) throw new Error(`internal: ${kind} takes two inputs`);
      expectFloat(kind, a);
      if (a.dtype !== b.dtype) {
        throw new ShapeError(`${kind}: expected one element type, got ${a.dtype} and ${b.dtype}`);
      }
      return { dtype: a.dtype, shape: broadcastShapes(kind, a.shape, b.shape) };
    },
    lower: (writer, names) => writer.node(onnxType, names),
    gradient: "pending",
  };
}

export const addOp = defineArithmetic("add", "Add");
export const subtractOp = defineArithmetic("subtract", "Sub");
export const multiplyOp = defineArithmetic("multiply", "Mul");
export const divideOp = defineArithmetic("divide", "Div");

/** a + b, broadcasting. */
export const add = (a: Tensor, b: Tensor): Tensor => apply(addOp, [a, b], undefined);
/** a − b, broadcasting. */
export const subtract = (a: Tensor, b: Tensor): Tensor => apply(subtractOp, [a, b], undefined);
/** a · b elementwise, broadcasting. */
export const multiply = (a: Tensor, b: Tensor): Tensor => apply(multiplyOp, [a, b], undefined);
/** a / b, broadcasting. */
export const divide = (a: Tensor, b: Tensor): Tensor => apply(divideOp, [a, b], undefined);
