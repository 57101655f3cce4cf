/** Every op against PyTorch (test/golden/ops), at fixed and at named sizes. */
import { describe, expect, it } from "vitest";

import { compile, type TensorValue } from "../src/runtime/ort.ts";
import { input, type Tensor } from "../src/tensor/graph.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { OPS } from "../src/tensor/ops/index.ts";
import { expectAllClose } from "./support/close.ts";
import {
  applyAny,
  fixedInputs,
  type GoldenCase,
  goldenCases,
  type GoldenTensor,
  goldenValues,
  namedInputs,
  takesNamedSizes,
} from "./support/golden-ops.ts";

describe.each(OPS.map((op) => [op.kind, op] as const))("%s", (kind, op) => {
  const own = goldenCases(kind);

  it("has golden values", () => {
    expect(own.length).toBeGreaterThan(0);
  });

  it("gives PyTorch's values at fixed sizes", async () => {
    for (const each of own) {
      const inputs = fixedInputs(each);
      expectGolden(await run(applyAny(op, inputs, each.attributes), each), each.output);
    }
  });

  it("has a gradient in the golden file iff its rule says so", () => {
    const hasRule = op.gradient !== "none";
    const isFloat = own.some((each) => each.inputs.some(({ dtype }) => dtype === "float32"));
    expect(own.some((each) => each.gradients !== undefined)).toBe(hasRule && isFloat);
  });

  it("infers the type and the shape that the runtime gives", async () => {
    for (const each of own) {
      const inputs = fixedInputs(each);
      const output = applyAny(op, inputs, each.attributes);
      const value = await run(output, each);
      expect(output.dtype).toBe(each.output.dtype);
      expect(output.shape).toEqual(value.shape);
    }
  });

  it("gives the same with named leading sizes", async () => {
    for (const each of own.filter(takesNamedSizes)) {
      const output = applyAny(op, namedInputs(each), each.attributes);
      expectGolden(await run(output, each), each.output);
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
    ["dequantize", [float(2, 8), float(2, 2)], { block: 4 }],
    ["dequantize", [input("q", "int8", [2, 9]), float(2, 2)], { block: 4 }],
    ["wholeProduct", [float(2, 8), input("q", "int8", [9, 4]), float(4)]],
    ["fourBitProduct", [float(2, 33), input("q", "uint8", [3, 1, 16]), float(3, 1)]],
    ["fourBitProduct", [float(2, 32), input("q", "int8", [3, 1, 16]), float(3, 1)]],
    ["fourBitProduct", [float(2, 32), input("q", "uint8", [3, 1, 16]), float(3, 2)]],
    ["wholeProduct", [float(2, 8), input("q", "int8", [8, 4]), float(5)]],
    ["wholeProduct", [float(2, 8), float(8, 4), float(4)]],
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
    ["transpose", [float(2, 3)], { axes: [0, 2] }],
    ["sumTo", [float("B", 3)], { shape: [4] }],
    ["sumTo", [integers(2, 3)], { shape: [3] }],
    ["broadcastLike", [float("B", 3), float("T", 3)]],
    ["flatten", [float(3)], { size: 3 }],
    ["unflatten", [float(3), float(3, 1)]],
    ["concatPart", [float(2, 3), float(2, 3)], { axis: 1, part: 1 }],
    ["gather", [float(2, 3), float(2)]],
    ["scatterRows", [float("N", 3), integers("M"), float(5, 3)]],
    ["pick", [float("N", 3), integers("M")]],
    ["addAt", [float("N", 3), integers("N"), float("M")]],
    ["logSoftmax", [integers(2, 3)]],
    ["targetLogprobs", [float("N", 3), float("N")]],
    ["contractRows", [float("N", 3), float("M", 3)]],
    ["negate", [integers(2)]],
    ["exponential", [integers(2)]],
    ["logarithm", [integers(2)]],
    ["squareRoot", [integers(2)]],
    ["sigmoid", [integers(2)]],
    ["softplus", [integers(2)]],
    ["tanhGelu", [integers(2)]],
    ["tanh", [integers(2)]],
    ["errorFunction", [integers(2)]],
    ["gelu", [integers(2)]],
    ["slice", [float(2, "T")], { axis: 1, start: 0, end: 1 }],
    ["slice", [float(2, 3)], { axis: 1, start: 2, end: 4 }],
    ["padZeros", [float(2, "T")], { axis: 1, before: 0, after: 1 }],
    ["padZeros", [float(2, 3)], { axis: 1, before: -1, after: 0 }],
    ["topMask", [float("N", 3)], { count: 4 }],
    ["markedRows", [float("N", 3)], { column: 0, size: "n" }],
    ["rotary", [float(1, 2, 8), float(1, 2, 5), float(1, 2, 5)], { heads: 1 }],
    ["inverseRms", [float(2, 3), float(4)], { epsilon: 1e-5 }],
    ["matMul", [float(2, 3), float(2, 3)], { transposeA: true, transposeB: true }],
    ["matMul", [float(2, 3), float(2, 3)], {}],
    ["matMul", [float(3), float(3, 2)], {}],
    ["rmsNorm", [float(2, 3), float(4)], { epsilon: 1e-5 }],
    ["rotary", [float(1, 2, 9), float(1, 2, 2), float(1, 2, 2)], { heads: 2 }],
    [
      "cachedAttention",
      [
        float("B", 1, 8),
        float("B", 1, 4),
        float("B", 1, 4),
        float("B", 2, 1, "S", 4),
        float("B", 2, 1, "S", 4),
        float("B", 1, 1, 1, "S"),
      ],
      { heads: 2, keyHeads: 1 },
    ],
    ["tokenProbabilities", [float("B", 4), float(2)]],
    ["likeliestToken", [float("B", 3, 4)]],
    [
      "attentionProbabilities",
      [float(1, 2), float(1, 2), float(1, 2), float(1, 1, 2, 2)],
      { heads: 1, keyHeads: 1 },
    ],
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

async function run(output: Tensor, golden: GoldenCase): Promise<TensorValue> {
  await using program = await compile(lowerToOnnx({ output }), { threads: 1 });
  const results = await program.run(goldenValues(golden));
  return results["output"]!;
}

function expectGolden(got: TensorValue, want: GoldenTensor): void {
  expect(got.shape).toEqual(want.shape);
  expectAllClose(Array.from(got.array as Float32Array), want.values, { rtol: 2e-6, atol: 1e-6 });
}
