/** Every op's gradient rule against PyTorch's autograd (test/golden/ops) and against finite differences of our own forward. */
import { describe, expect, it } from "vitest";

import { compile, type Program, type TensorValue } from "../src/runtime/ort.ts";
import { gradients } from "../src/tensor/gradient.ts";
import { input, type Tensor } from "../src/tensor/graph.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { multiply } from "../src/tensor/ops/arithmetic.ts";
import { sumTo } from "../src/tensor/ops/broadcast.ts";
import { OPS } from "../src/tensor/ops/index.ts";
import { expectAllClose } from "./support/close.ts";
import {
  applyAny,
  fixedInputs,
  type GoldenCase,
  goldenCases,
  goldenValues,
  namedInputs,
  takesNamedSizes,
  toValue,
} from "./support/golden-ops.ts";

type Op = (typeof OPS)[number];
const DIFFERENTIABLE = OPS.filter(({ gradient }) => gradient !== "none");
const differentiableCases = (kind: string): readonly GoldenCase[] =>
  goldenCases(kind).filter((each) => each.gradients !== undefined);

describe.each(DIFFERENTIABLE.map((op) => [op.kind, op] as const))("%s", (kind, op) => {
  it("has PyTorch's gradients", async () => {
    expect(differentiableCases(kind).length).toBeGreaterThan(0);
    for (const each of differentiableCases(kind)) {
      await expectTorchGradients(op, each, fixedInputs(each));
    }
  });

  it("has them with named leading sizes too", async () => {
    for (const each of differentiableCases(kind).filter(takesNamedSizes)) {
      await expectTorchGradients(op, each, namedInputs(each));
    }
  });

  it("has those of finite differences", async () => {
    for (const each of differentiableCases(kind)) await expectFiniteDifferences(op, each);
  });
});

async function expectTorchGradients(op: Op, golden: GoldenCase, inputs: Tensor[]): Promise<void> {
  const found = await runGradients(op, golden, inputs);
  for (const [i, want] of golden.gradients!.entries()) {
    // null: an integer, or values that do not enter; ours are zeros then.
    const values = want?.values ?? golden.inputs[i]!.values.map(() => 0);
    if (golden.inputs[i]!.dtype !== "float32") continue;
    expectAllClose(found.get(i)!, values, { rtol: 1e-5, atol: 2e-6 });
  }
}

/** Gradients of Σ cotangent∘op(inputs) by input number. */
async function runGradients(
  op: Op,
  golden: GoldenCase,
  inputs: Tensor[],
): Promise<Map<number, Float32Array>> {
  const y = applyAny(op, inputs, golden.attributes);
  const loss = sumTo(multiply(y, input("cotangent", "float32", y.shape)), []);
  const floats = inputs.flatMap((each, i) => (each.dtype === "float32" ? [i] : []));
  const found = gradients(
    loss,
    floats.map((i) => inputs[i]!),
  );
  for (const [place, i] of floats.entries()) {
    expect(found[place]!.shape, `inferred shape of input ${i}`).toEqual(inputs[i]!.shape);
  }
  const graph = lowerToOnnx(Object.fromEntries(found.map((each, place) => [`${place}`, each])));
  await using program = await compile(graph, { threads: 1 });
  const results = await program.run({
    ...goldenValues(golden),
    cotangent: toValue(golden.cotangent!),
  });
  for (const [place, i] of floats.entries()) {
    expect(results[place]!.shape, `shape of input ${i}`).toEqual(golden.inputs[i]!.shape);
  }
  return new Map(floats.map((i, place) => [i, results[place]!.array as Float32Array]));
}

/**
 * Four-point central differences with a step of 3% of the number. The fifth derivative's share stays below a thousandth of the
 * largest gradient of the input; the rounding of a float32 output comes on top, and is small but where outputs are large.
 */
async function expectFiniteDifferences(op: Op, golden: GoldenCase): Promise<void> {
  const inputs = fixedInputs(golden);
  const found = await runGradients(op, golden, inputs);
  const output = applyAny(op, inputs, golden.attributes);
  await using program = await compile(lowerToOnnx({ output }), { threads: 1 });
  const values = goldenValues(golden);
  for (const [i, gradient] of found) {
    const { slopes, rounding } = await finiteDifference(program, values, `x${i}`, golden);
    const largest = gradient.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    for (const [place, slope] of slopes.entries()) {
      const atol = 1e-3 * Math.max(largest, 0.1) + rounding[place]!;
      expectAllClose([slope], [gradient[place]!], { atol });
    }
  }
}

async function finiteDifference(
  program: Program,
  values: Readonly<Record<string, TensorValue>>,
  name: string,
  golden: GoldenCase,
): Promise<{ slopes: number[]; rounding: number[] }> {
  const { shape, array } = values[name]!;
  const cotangent = golden.cotangent!.values;
  const size = cotangent.reduce(
    (sum, each, j) => sum + Math.abs(each * golden.output.values[j]!),
    0,
  );
  const slopes: number[] = [];
  const rounding: number[] = [];
  for (const [place, centre] of (array as Float32Array).entries()) {
    const step = 0.03 * Math.min(1, Math.max(Math.abs(centre), 0.1));
    const at = async (offset: number): Promise<number> => {
      const moved = Float32Array.from(array as Float32Array);
      moved[place] = centre + offset;
      const { output } = await program.run({
        ...values,
        [name]: { dtype: "float32", shape, array: moved },
      });
      const y = output!.array as Float32Array;
      return cotangent.reduce((sum, weight, j) => sum + weight * y[j]!, 0);
    };
    const near = (await at(step)) - (await at(-step));
    const far = (await at(2 * step)) - (await at(-2 * step));
    slopes.push((8 * near - far) / (12 * step));
    rounding.push((2 ** -23 * size) / step);
  }
  return { slopes, rounding };
}
