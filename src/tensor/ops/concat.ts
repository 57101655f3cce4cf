import { int } from "../../format/onnx.ts";
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, scalar, type Tensor } from "../graph.ts";
import { type Dim, expectRank, formatShape } from "../shape.ts";
import { broadcastLike } from "./broadcast.ts";

export const concatOp: OpDefinition<{ axis: number; size: Dim }> = {
  kind: "concat",
  infer(inputs, { axis, size }) {
    const [first] = inputs;
    if (first === undefined) throw new Error("internal: concat takes at least one input");
    for (const each of inputs) {
      expectRank("concat", each, first.shape.length);
      const differs = each.shape.some((dim, i) => i !== axis && dim !== first.shape[i]);
      if (differs || each.dtype !== first.dtype) {
        throw new ShapeError(
          `concat: ${each.dtype} ${formatShape(each.shape)} does not join ${first.dtype} ${formatShape(first.shape)} along axis ${axis}`,
        );
      }
    }
    return { dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? size : dim)) };
  },
  lower: (writer, names, { attributes }) =>
    writer.node("Concat", names, { axis: int(attributes.axis) }),
  // Each part has its own stretch of the gradient.
  gradient: ({ inputs, attributes: { axis } }, g) =>
    inputs.map((_, i) => concatPart(g, inputs, axis, i)),
};

export const concatPartOp: OpDefinition<{ axis: number; part: number }> = {
  kind: "concatPart",
  infer([joined, ...parts], { axis, part }) {
    const own = parts[part];
    if (joined === undefined || own === undefined) {
      throw new ShapeError(`concatPart: expected part ${part}, got ${parts.length} parts`);
    }
    expectRank("concatPart", joined, own.shape.length);
    const shape = joined.shape.map((dim, i) => (i === axis ? own.shape[axis]! : dim)); // ranks are equal
    return { dtype: joined.dtype, shape };
  },
  lower(writer, [joined, ...parts], { attributes: { axis, part } }) {
    const sizes = parts.map((each) =>
      writer.node("Shape", [each], { start: int(axis), end: int(axis + 1) }),
    );
    let start = writer.constant("int64", [1], [0]);
    for (const size of sizes.slice(0, part)) start = writer.node("Add", [start, size]);
    const end = writer.node("Add", [start, sizes[part]!]); // checked by infer
    const axes = writer.constant("int64", [1], [axis]);
    return writer.node("Slice", [joined!, start, end, axes]);
  },
  gradient({ inputs: [joined, ...parts], attributes: { axis, part } }, g) {
    const padded = parts.map((each, i) => (i === part ? g : broadcastLike(scalar(0), each)));
    return [concat(padded, axis, joined!.shape[axis]!)]; // checked by infer
  },
};

/**
 * Tensors one behind the other along `axis`, all other sizes equal. `size` is the joined size: named sizes cannot be added, so the
 * caller names the sum.
 */
export const concat = (inputs: readonly Tensor[], axis: number, size: Dim): Tensor =>
  apply(concatOp, inputs, { axis, size });

/** The stretch of `joined` along `axis` where concat puts part number `part` of `parts`, whose values do not enter. */
export const concatPart = (
  joined: Tensor,
  parts: readonly Tensor[],
  axis: number,
  part: number,
): Tensor => apply(concatPartOp, [joined, ...parts], { axis, part });
