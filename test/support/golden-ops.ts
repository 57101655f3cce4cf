/** @file The cases of test/golden/ops: one op each, with PyTorch's output and gradients. */
import { readFileSync } from "node:fs";

import type { TensorValue } from "../../src/runtime/ort.ts";
import { apply, input, type OpDefinition, type Tensor } from "../../src/tensor/graph.ts";
import type { OPS } from "../../src/tensor/ops/index.ts";
import type { DType } from "../../src/tensor/shape.ts";

export interface GoldenTensor {
  readonly dtype: "float32" | "int8" | "uint8" | "int32" | "bool";
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface GoldenCase {
  readonly op: string;
  readonly inputs: readonly GoldenTensor[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly output: GoldenTensor;
  /** The gradient given to the output, and those that come of it for each input; absent where the op has none. */
  readonly cotangent?: GoldenTensor;
  readonly gradients?: readonly (GoldenTensor | null)[];
}

const { cases } = JSON.parse(
  readFileSync(new URL("../golden/ops/ops.json", import.meta.url), "utf8"),
) as { cases: GoldenCase[] };

export const goldenCases = (kind: string): readonly GoldenCase[] =>
  cases.filter(({ op }) => op === kind);

export function applyAny(
  op: (typeof OPS)[number],
  inputs: readonly Tensor[],
  attributes: unknown,
): Tensor {
  // The golden file holds each op's own attributes.
  return apply(op as OpDefinition<unknown>, inputs, attributes);
}

/** Graph inputs `x0`, `x1`, … at the sizes of the case. */
export const fixedInputs = ({ inputs }: GoldenCase): Tensor[] =>
  inputs.map(({ dtype, shape }, i) => input(`x${i}`, dtype, shape));

const SIZE_NAMES = new Map([
  [2, "B"],
  [3, "T"],
  [5, "S"],
]);
/** Their attributes hold sizes, or their inputs fit only while the sizes are known. */
const FIXED_SIZES: readonly string[] = [
  "broadcastLike",
  "cachedAttention",
  "reshape",
  "scatterRows",
  "sumTo",
];

/** Whether the case can run with names for the leading sizes of its inputs. */
export const takesNamedSizes = ({ op, inputs }: GoldenCase): boolean =>
  (inputs[0]?.shape.length ?? 0) >= 3 && !FIXED_SIZES.includes(op);

/** The same inputs with names for their leading sizes, equal names for equal sizes. */
export function namedInputs({ op, inputs }: GoldenCase): Tensor[] {
  const isNamed = (rank: number, axis: number, i: number): boolean => {
    if (op.startsWith("attention") && i === 3) return axis > 1 || inputs[3]!.shape[0] !== 1;
    // Weights have no named sizes.
    if (op === "fourBitProduct" && i > 0) return false;
    return rank >= 3 && axis < rank - 1 && !(op === "matMul" && axis > 0);
  };
  return inputs.map(({ dtype, shape }, i) => {
    const sizes = shape.map((size, axis) =>
      isNamed(shape.length, axis, i) ? (SIZE_NAMES.get(size) ?? size) : size,
    );
    return input(`x${i}`, dtype, sizes);
  });
}

/** The numbers for `fixedInputs` and `namedInputs`. */
export const goldenValues = ({ inputs }: GoldenCase): Record<string, TensorValue> =>
  Object.fromEntries(inputs.map((each, i) => [`x${i}`, toValue(each)]));

export function toValue({ dtype, shape, values }: GoldenTensor): TensorValue {
  const arrays = {
    float32: Float32Array,
    int8: Int8Array,
    uint8: Uint8Array,
    int32: Int32Array,
    bool: Uint8Array,
  } as const;
  return { dtype: dtype satisfies DType, shape, array: arrays[dtype].from(values) };
}
