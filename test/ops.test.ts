/** Every op against PyTorch (test/golden/ops), at fixed and at named sizes. */
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { compile, type TensorValue } from "../src/runtime/ort.ts";
import { apply, input, type OpDefinition, type Tensor } from "../src/tensor/graph.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { OPS } from "../src/tensor/ops/index.ts";
import type { DType } from "../src/tensor/shape.ts";
import { expectAllClose } from "./support/close.ts";

interface GoldenTensor {
  dtype: "float32" | "int32" | "bool";
  shape: number[];
  values: number[];
}
interface GoldenCase {
  op: string;
  inputs: GoldenTensor[];
  attributes: Record<string, unknown>;
  output: GoldenTensor;
}

const { cases } = JSON.parse(
  readFileSync(new URL("golden/ops/ops.json", import.meta.url), "utf8"),
) as { cases: GoldenCase[] };

describe.each(OPS.map((op) => [op.kind, op] as const))("%s", (kind, op) => {
  const own = cases.filter((each) => each.op === kind);

  it("has golden values", () => {
    expect(own.length).toBeGreaterThan(0);
  });

  it("gives PyTorch's values at fixed sizes", async () => {
    for (const each of own) {
      const inputs = each.inputs.map((one, i) => input(`x${i}`, one.dtype, one.shape));
      expectGolden(await run(applyAny(op, inputs, each.attributes), each), each.output);
    }
  });

  it("infers the type and the shape that the runtime gives", async () => {
    for (const each of own) {
      const inputs = each.inputs.map((one, i) => input(`x${i}`, one.dtype, one.shape));
      const output = applyAny(op, inputs, each.attributes);
      const value = await run(output, each);
      expect(output.dtype).toBe(each.output.dtype);
      expect(output.shape).toEqual(value.shape);
    }
  });

  it("gives the same with named leading sizes", async () => {
    for (const each of own.filter(
      ({ inputs }) => inputs[0]!.shape.length === 3 && kind !== "reshape",
    )) {
      const names = new Map([
        [2, "B"],
        [3, "T"],
        [5, "S"],
      ]);
      const inputs = each.inputs.map((one, i) =>
        input(
          `x${i}`,
          one.dtype,
          one.shape.map((size, axis) =>
            one.shape.length >= 3 && axis < one.shape.length - 1 && !(kind === "matMul" && axis > 0)
              ? (names.get(size) ?? size)
              : kind === "attention" && i === 3
                ? (names.get(size) ?? size)
                : size,
          ),
        ),
      );
      expectGolden(await run(applyAny(op, inputs, each.attributes), each), each.output);
    }
  });
});

describe("shape errors", () => {
  const float = (...shape: (number | string)[]): Tensor => input("x", "float32", shape);
  const integers = (...shape: (number | string)[]): Tensor => input("x", "int32", shape);
  const bad: [string, Tensor[], unknown?][] = [
    ["add", [float(2, 3), float(2, 4)]],
    ["add", [float("B", 3), float("T", 3)]],
    ["subtract", [float(2), integers(2)]],
    ["multiply", [float(2, 3), float(3, 2)]],
    ["divide", [integers(2), integers(2)]],
    ["and", [float(2), integers(2)]],
    ["or", [float(2), integers(2)]],
    ["equal", [float(2), integers(2)]],
    ["less", [float(2), float(3)]],
    ["lessOrEqual", [float(2), float(3)]],
    ["subtractIntegers", [float(2), float(2)]],
    ["where", [float(2), float(2), float(2)]],
    ["cosine", [integers(2)]],
    ["sine", [integers(2)]],
    ["silu", [integers(2)]],
    ["reshape", [float("B", 6)], { shape: ["B", 7] }],
    ["reshape", [float("B", 6)], { shape: ["T", 6] }],
    ["concat", [float(2, 3), float(3, 3)], { axis: 1, size: 6 }],
    ["repeatRow", [float(2, 3, 4), float(2, 3, 4)]],
    ["gather", [float(2, 3), float(2)]],
    ["matMul", [float(2, 3), float(2, 3)]],
    ["matMul", [float(3), float(3, 2)]],
    ["rmsNorm", [float(2, 3), float(4)], { epsilon: 1e-5 }],
    ["rotary", [float(1, 2, 8), float(1, 2, 3), float(1, 2, 3)], { heads: 2 }],
    [
      "attention",
      [float(1, 2, 8), float(1, 2, 3), float(1, 2, 3), float(1, 1, 2, 2)],
      { heads: 2, keyHeads: 1 },
    ],
  ];

  it.each(bad)("%s refuses inputs that do not fit (%#)", (kind, inputs, attributes) => {
    const op = OPS.find((each) => each.kind === kind)!;
    expect(() => applyAny(op, inputs, attributes)).toThrowError(
      expect.objectContaining({ name: "ShapeError" }),
    );
  });
});

function applyAny(
  op: (typeof OPS)[number],
  inputs: readonly Tensor[],
  attributes: unknown,
): Tensor {
  // The golden file holds each op's own attributes.
  return apply(op as OpDefinition<unknown>, inputs, attributes);
}

async function run(output: Tensor, golden: GoldenCase): Promise<TensorValue> {
  await using program = await compile(lowerToOnnx({ output }), { threads: 1 });
  const values = golden.inputs.map((each, i) => [`x${i}`, toValue(each)] as const);
  const results = await program.run(Object.fromEntries(values));
  return results["output"]!;
}

function toValue({ dtype, shape, values }: GoldenTensor): TensorValue {
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
  return { dtype: dtype satisfies DType, shape, array: arrays[dtype].from(values) };
}

function expectGolden(got: TensorValue, want: GoldenTensor): void {
  expect(got.shape).toEqual(want.shape);
  expectAllClose(Array.from(got.array as Float32Array), want.values, { rtol: 2e-6, atol: 1e-6 });
}
