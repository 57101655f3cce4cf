import { ShapeError } from "../util/errors.ts";

/** Element types of tensors in a graph. */
export const DTYPES = ["float32", "float16", "int8", "uint8", "int32", "int64", "bool"] as const;
export type DType = (typeof DTYPES)[number];

/** One size: a number, or a name ("B", "T") for a size known only when the graph runs. Equal names are equal sizes. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a tensor before the graph runs. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** `[B, T, 64]`, for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/**
 * The shape of an elementwise op over two operands by NumPy's broadcasting. A named size broadcasts with 1 and with the same
 * name only: two different names could differ at run time.
 */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new ShapeError(
      `${where}: sizes do not broadcast, got ${formatShape(a)} and ${formatShape(b)}`,
    );
  });
}

/** Throws ShapeError unless both sizes are the same number or the same name. */
export function expectEqualDims(where: string, a: Dim | undefined, b: Dim | undefined): void {
  if (a !== b) {
    throw new ShapeError(`${where}: expected equal sizes, got ${String(a)} and ${String(b)}`);
  }
}

/** Throws ShapeError unless the type is a float. */
export function expectFloat(where: string, type: TensorType): void {
  if (type.dtype !== "float32" && type.dtype !== "float16") {
    throw new ShapeError(`${where}: expected a float tensor, got ${type.dtype}`);
  }
}

/** Throws ShapeError unless the tensor has `rank` axes. */
export function expectRank(where: string, type: TensorType, rank: number): void {
  if (type.shape.length !== rank) {
    throw new ShapeError(`${where}: expected ${rank} axes, got ${formatShape(type.shape)}`);
  }
}
