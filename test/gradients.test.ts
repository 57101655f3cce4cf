import { describe, expect, it } from "vitest";

import { compile } from "../src/runtime/ort.ts";
import { gradients } from "../src/tensor/gradient.ts";
import { input, parameter, scalar, type Tensor } from "../src/tensor/graph.ts";
import { inOrder, lowerToOnnx } from "../src/tensor/lower.ts";
import { add, multiply } from "../src/tensor/ops/arithmetic.ts";
import { sumTo } from "../src/tensor/ops/broadcast.ts";
import { cast } from "../src/tensor/ops/cast.ts";
import { matMul } from "../src/tensor/ops/mat-mul.ts";
import { tokenProbabilities } from "../src/tensor/ops/token-choice.ts";
import { exponential } from "../src/tensor/ops/unary.ts";

const x = input("x", "float32", [3]);
const values = Float32Array.of(1, -2, 0.5);

async function evaluate(outputs: Record<string, Tensor>): Promise<Record<string, number[]>> {
  await using program = await compile(lowerToOnnx(outputs), { threads: 1 });
  const results = await program.run({ x: { dtype: "float32", shape: [3], array: values } });
  return Object.fromEntries(
    Object.entries(results).map(([name, { array }]) => [name, Array.from(array, Number)]),
  );
}

describe("gradients", () => {
  it("sums over all uses of a value", async () => {
    const square = multiply(x, x);
    const loss = sumTo(add(multiply(square, x), square), []); // x³ + x²
    const [dx] = gradients(loss, [x]);
    const { got } = await evaluate({ got: dx! });
    expect(got).toEqual([...values].map((v) => 3 * v * v + 2 * v));
  });

  it("gives those of values in between", async () => {
    const square = multiply(x, x);
    const [dSquare, dLoss] = gradients(sumTo(multiply(square, square), []), [square, scalar(1)]);
    const { got, other } = await evaluate({ got: dSquare!, other: dLoss! });
    expect(got).toEqual([...values].map((v) => 2 * v * v));
    expect(other).toEqual([0]);
  });

  it("takes two tensors of one name for one parameter", () => {
    const weight = (): Tensor => parameter("w", [2, 2]);
    const loss = sumTo(matMul(weight(), matMul(weight(), weight())), []);
    const [dw] = gradients(loss, [weight()]);
    // Three uses: two sums at least are in the graph.
    const sums = inOrder([dw!]).filter(
      (each) => each.source.kind === "op" && each.source.op.kind === "add",
    );
    expect(sums).toHaveLength(2);
  });

  it("gives zeros for what the loss does not depend on, also through an integer", async () => {
    const loss = sumTo(cast(cast(x, "int32"), "float32"), []);
    const { got } = await evaluate({ got: gradients(loss, [x])[0]! });
    expect(got).toEqual([0, 0, 0]);
  });

  it("builds nothing for what is not asked for", () => {
    const frozen = parameter("frozen", [3]);
    const [dx] = gradients(sumTo(exponential(multiply(x, frozen)), []), [x]);
    const kinds = inOrder([dx!]).map((each) =>
      each.source.kind === "op" ? each.source.op.kind : "",
    );
    expect(kinds).not.toContain("sumTo");
    expect(kinds.filter((kind) => kind === "multiply").length).toBeLessThanOrEqual(3);
  });

  it("is differentiable again", async () => {
    const [dx] = gradients(sumTo(exponential(multiply(x, scalar(2))), []), [x]);
    const [ddx] = gradients(sumTo(dx!, []), [x]);
    const { got } = await evaluate({ got: ddx! });
    for (const [i, v] of values.entries()) expect(got![i]).toBeCloseTo(4 * Math.exp(2 * v), 4);
  });

  it("refuses a float op without a rule, but only on the way to what is asked for", () => {
    const probabilities = tokenProbabilities(
      input("logits", "float32", ["B", 5]),
      input("t", "float32", [1]),
    );
    const loss = sumTo(multiply(sumTo(probabilities, [1]), x), []);
    expect(gradients(loss, [x])).toHaveLength(1);
    expect(() => gradients(loss, [input("logits", "float32", ["B", 5])])).toThrowError(
      expect.objectContaining({ name: "UnsupportedError" }),
    );
  });

  it("refuses a loss that is no scalar", () => {
    expect(() => gradients(x, [x])).toThrowError(expect.objectContaining({ name: "ShapeError" }));
  });
});
