import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { broadcastShapes } from "../shape.ts";

/** Difference of integers; apart from the float op because it has no gradient. */
export const subtractIntegersOp: OpDefinition<undefined> = {
  kind: "subtractIntegers",
  infer([a, b]) {
    if (a?.dtype !== "int32" || b?.dtype !== "int32") {
      throw new ShapeError(
        `subtractIntegers: expected int32, got ${String(a?.dtype)} and ${String(b?.dtype)}`,
      );
    }
    return { dtype: "int32", shape: broadcastShapes("subtractIntegers", a.shape, b.shape) };
  },
  lower: (writer, names) => writer.node("Sub", names),
  gradient: "none",
};

/** a − b, int32, broadcasting. */
export const subtractIntegers = (a: Tensor, b: Tensor): Tensor =>
  apply(subtractIntegersOp, [a, b], undefined);
