/** @file Copying along axes and summing over them: each is the other's gradient. */
import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectFloat, formatShape, type Shape } from "../shape.ts";

export const sumToOp: OpDefinition<{ shape: Shape }> = {
  kind: "sumTo",
  infer([x], { shape }) {
    if (x === undefined) throw new Error("internal: sumTo takes one input");
    expectFloat("sumTo", x);
    expectBroadcasts("sumTo", shape, x.shape);
    return { dtype: x.dtype, shape };
  },
  lower(writer, [name], { inputs, attributes: { shape } }) {
    const from = inputs[0]!.shape; // one input, checked by infer
    const extra = from.length - shape.length;
    const sum = (x: string, axes: readonly number[], keepdims: number): string => {
      if (axes.length === 0) return x;
      const list = writer.constant("int64", [axes.length], axes);
      return writer.node("ReduceSum", [x, list], { keepdims: int(keepdims) });
    };
    const ones = shape.flatMap((dim, i) => (dim === 1 && from[extra + i] !== 1 ? [i] : []));
    const leading = Array.from({ length: extra }, (_, i) => i);
    return sum(sum(name!, leading, 0), ones, 1);
  },
  gradient: ({ inputs: [x] }, g) => [broadcastLike(g, x!)], // one input, checked by infer
};

export const broadcastLikeOp: OpDefinition<undefined> = {
  kind: "broadcastLike",
  infer([x, like]) {
    if (x === undefined || like === undefined) {
      throw new Error("internal: broadcastLike takes two inputs");
    }
    expectFloat("broadcastLike", x);
    expectBroadcasts("broadcastLike", x.shape, like.shape);
    return { dtype: x.dtype, shape: like.shape };
  },
  lower: (writer, [x, like]) => writer.node("Expand", [x!, writer.node("Shape", [like!])]), // two inputs, checked by infer
  gradient: ({ inputs: [x] }, g) => [sumTo(g, x!.shape), undefined],
};

/** The sum of x over the axes that `shape` lacks at the front or has as 1, so that it has that shape. */
export const sumTo = (x: Tensor, shape: Shape): Tensor =>
  formatShape(x.shape) === formatShape(shape) ? x : apply(sumToOp, [x], { shape });

/** x as often as it takes to have the shape of `like`, by broadcasting; the values of `like` do not enter. */
export const broadcastLike = (x: Tensor, like: Tensor): Tensor =>
  apply(broadcastLikeOp, [x, like], undefined);

function expectBroadcasts(where: string, small: Shape, large: Shape): void {
  const extra = large.length - small.length;
  if (extra < 0 || small.some((dim, i) => dim !== 1 && dim !== large[extra + i])) {
    throw new ShapeError(
      `${where}: ${formatShape(small)} does not broadcast to ${formatShape(large)}`,
    );
  }
}
