/** @file A stretch of an axis, and zeros around one: each is the other's gradient. */
import { ShapeError } from "../../util/errors.ts";
import { apply, type OpDefinition, type Tensor } from "../graph.ts";
import { expectFloat, formatShape, type TensorType } from "../shape.ts";

export interface SliceAttributes {
  /** Counted from the front; its size is a number. */
  readonly axis: number;
  readonly start: number;
  /** One past the last. */
  readonly end: number;
}

export const sliceOp: OpDefinition<SliceAttributes> = {
  kind: "slice",
  infer([x], { axis, start, end }) {
    const size = numericSize("slice", x, axis);
    if (!(start >= 0 && start < end && end <= size)) {
      throw new ShapeError(`slice: ${start} to ${end} is no stretch of an axis of ${size}`);
    }
    return resized(x!, axis, end - start);
  },
  lower: (writer, [x], { attributes: { axis, start, end } }) =>
    writer.node("Slice", [
      x!, // one input, checked by infer
      ...[start, end, axis].map((each) => writer.constant("int64", [1], [each])),
    ]),
  // What was left out has no share in the result.
  gradient: ({ inputs: [x], attributes: { axis, start, end } }, g) => [
    padZeros(g, { axis, before: start, after: (x!.shape[axis] as number) - end }), // checked by infer
  ],
};

export interface PadAttributes {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

export const padZerosOp: OpDefinition<PadAttributes> = {
  kind: "padZeros",
  infer([x], { axis, before, after }) {
    const size = numericSize("padZeros", x, axis);
    if (before < 0 || after < 0) {
      throw new ShapeError(`padZeros: expected counts of zeros, got ${before} and ${after}`);
    }
    return resized(x!, axis, before + size + after);
  },
  lower: (writer, [x], { attributes: { axis, before, after } }) =>
    writer.node("Pad", [
      x!, // one input, checked by infer
      writer.constant("int64", [2], [before, after]),
      "",
      writer.constant("int64", [1], [axis]),
    ]),
  gradient: ({ inputs: [x], attributes: { axis, before } }, g) => [
    slice(g, { axis, start: before, end: before + (x!.shape[axis] as number) }), // checked by infer
  ],
};

/** The elements `start` to `end` (not included) along `axis`. */
export const slice = (x: Tensor, attributes: SliceAttributes): Tensor =>
  apply(sliceOp, [x], attributes);

/** x with `before` and `after` zeros around it along `axis`. */
export const padZeros = (x: Tensor, attributes: PadAttributes): Tensor =>
  apply(padZerosOp, [x], attributes);

/** x cut along its last axis into pieces of these sizes, in order. */
export function split(x: Tensor, sizes: readonly number[]): readonly Tensor[] {
  const axis = x.shape.length - 1;
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return slice(x, { axis, start: at - size, end: at });
  });
}

function numericSize(where: string, x: TensorType | undefined, axis: number): number {
  if (x === undefined) throw new Error(`internal: ${where} takes one input`);
  expectFloat(where, x);
  const size = x.shape[axis];
  if (typeof size === "number") return size;
  throw new ShapeError(
    `${where}: expected a number as size of axis ${axis}, got ${formatShape(x.shape)}`,
  );
}

function resized({ dtype, shape }: TensorType, axis: number, size: number): TensorType {
  return { dtype, shape: shape.map((dim, i) => (i === axis ? size : dim)) };
}
