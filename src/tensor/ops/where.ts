import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, scalar, type Tensor } from "../graph.ts";
import { broadcastShapes } from "../shape.ts";
import { sumTo } from "./broadcast.ts";

export const whereOp: OpDefinition<undefined> = {
  kind: "where",
  infer([condition, yes, no]) {
    if (condition?.dtype !== "bool" || yes === undefined || yes.dtype !== no?.dtype) {
      throw new ShapeError(
        `where: expected a bool and two of one type, got ${[condition, yes, no].map((each) => String(each?.dtype)).join(", ")}`,
      );
    }
    const shape = broadcastShapes("where", yes.shape, no.shape);
    return { dtype: yes.dtype, shape: broadcastShapes("where", condition.shape, shape) };
  },
  lower: (writer, names) => writer.node("Where", names),
  // Each side has the gradient where it was taken.
  gradient({ inputs }, g) {
    const [condition, yes, no] = inputs as readonly [Tensor, Tensor, Tensor]; // three, checked by infer
    const zero = scalar(0);
    return [
      undefined,
      sumTo(where(condition, g, zero), yes.shape),
      sumTo(where(condition, zero, g), no.shape),
    ];
  },
};

/** `yes` where the condition holds, `no` elsewhere, broadcasting. */
export const where = (condition: Tensor, yes: Tensor, no: Tensor): Tensor =>
  apply(whereOp, [condition, yes, no], undefined);
