import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, scalar, type Tensor } from "../graph.ts";
import { broadcastShapes, expectFloat } from "../shape.ts";
import { sumTo } from "./broadcast.ts";

/** Gradients of a and b in the shape of the output y, given that of y. */
type Rule = (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [Tensor, Tensor];

/** Elementwise float ops over two broadcasting operands. */
function defineArithmetic(kind: string, onnxType: string, rule: Rule): OpDefinition<undefined> {
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
    gradient({ inputs, output }, g) {
      const [a, b] = inputs as readonly [Tensor, Tensor]; // two, checked by infer
      const [da, db] = rule(g, a, b, output);
      // A number that was broadcast has the sum of the gradients of its copies.
      return [sumTo(da, a.shape), sumTo(db, b.shape)];
    },
  };
}

export const addOp = defineArithmetic("add", "Add", (g) => [g, g]);
export const subtractOp = defineArithmetic("subtract", "Sub", (g) => [g, multiply(g, scalar(-1))]);
export const multiplyOp = defineArithmetic("multiply", "Mul", (g, a, b) => [
  multiply(g, b),
  multiply(g, a),
]);
/** ∂(a/b)/∂a = 1/b; ∂(a/b)/∂b = −a/b² = −y/b. */
export const divideOp = defineArithmetic("divide", "Div", (g, _a, b, y) => {
  const da = divide(g, b);
  return [da, multiply(multiply(da, y), scalar(-1))];
});

/** a + b, broadcasting. */
export const add = (a: Tensor, b: Tensor): Tensor => apply(addOp, [a, b], undefined);
/** a − b, broadcasting. */
export const subtract = (a: Tensor, b: Tensor): Tensor => apply(subtractOp, [a, b], undefined);
/** a · b elementwise, broadcasting. */
export const multiply = (a: Tensor, b: Tensor): Tensor => apply(multiplyOp, [a, b], undefined);
/** a / b, broadcasting. */
export const divide = (a: Tensor, b: Tensor): Tensor => apply(divideOp, [a, b], undefined);
