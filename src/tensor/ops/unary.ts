import { float } from "../../format/onnx.ts";
import { apply, type OpDefinition, type OnnxWriter, scalar, type Tensor } from "../graph.ts";
import { expectFloat } from "../shape.ts";
import { add, divide, multiply, subtract } from "./arithmetic.ts";

/** Elementwise float ops over one operand. `rule` gives the gradient of x, from that of y = f(x). */
function defineUnary(
  kind: string,
  lower: (writer: OnnxWriter, name: string) => string,
  rule: (g: Tensor, x: Tensor, y: Tensor) => Tensor,
): OpDefinition<undefined> {
  return {
    kind,
    infer([x]) {
      if (x === undefined) throw new Error(`internal: ${kind} takes one input`);
      expectFloat(kind, x);
      return { dtype: x.dtype, shape: x.shape };
    },
    lower: (writer, [name]) => lower(writer, name!), // one input, checked by infer
    gradient: ({ inputs, output }, g) => [rule(g, inputs[0]!, output)],
  };
}

const onnx =
  (opType: string) =>
  (writer: OnnxWriter, x: string): string =>
    writer.node(opType, [x]);

export const cosineOp = defineUnary("cosine", onnx("Cos"), (g, x) => negate(multiply(g, sine(x))));
export const sineOp = defineUnary("sine", onnx("Sin"), (g, x) => multiply(g, cosine(x)));
export const negateOp = defineUnary("negate", onnx("Neg"), (g) => negate(g));
export const exponentialOp = defineUnary("exponential", onnx("Exp"), (g, _x, y) => multiply(g, y));
export const logarithmOp = defineUnary("logarithm", onnx("Log"), (g, x) => divide(g, x));
/** ∂√x/∂x = 1/(2√x). */
export const squareRootOp = defineUnary("squareRoot", onnx("Sqrt"), (g, _x, y) =>
  divide(multiply(g, scalar(0.5)), y),
);
/** σ′ = σ(1 − σ). */
export const sigmoidOp = defineUnary("sigmoid", onnx("Sigmoid"), (g, _x, y) =>
  multiply(g, multiply(y, subtract(scalar(1), y))),
);
/** ∂log(1 + eˣ)/∂x = σ(x). */
export const softplusOp = defineUnary("softplus", onnx("Softplus"), (g, x) =>
  multiply(g, sigmoid(x)),
);
/**
 * ONNX Runtime's QuickGelu is x·σ(αx): with α = 1 it is SiLU in one pass, where Sigmoid and Mul take two.
 * ∂(xσ)/∂x = σ + xσ(1 − σ) = σ·(1 + x − y).
 */
export const siluOp = defineUnary(
  "silu",
  (writer, x) => writer.node("QuickGelu", [x], { alpha: float(1) }, { domain: "com.microsoft" }),
  (g, x, y) => multiply(g, multiply(sigmoid(x), subtract(add(x, scalar(1)), y))),
);

/**
 * GELU with tanh: x·(1 + tanh u)/2 = x·σ(2u) with u = √(2/π)·(x + c·x³), c = 0.044715 (Hendrycks & Gimpel 2016, section 2). With
 * s = σ(2u): ∂(x·s)/∂x = s·(1 + x·(1 − s)·2u′), u′ = √(2/π)·(1 + 3c·x²).
 */
export const tanhGeluOp = defineUnary(
  "tanhGelu",
  (writer, x) => writer.node("FastGelu", [x], {}, { domain: "com.microsoft" }),
  (g, x) => {
    const square = multiply(x, x);
    const quadratic = (a: number): Tensor =>
      multiply(add(multiply(square, scalar(a)), scalar(1)), scalar(2 * Math.sqrt(2 / Math.PI)));
    const s = sigmoid(multiply(x, quadratic(0.044715)));
    const inner = multiply(multiply(x, subtract(scalar(1), s)), quadratic(3 * 0.044715));
    return multiply(g, multiply(s, add(inner, scalar(1))));
  },
);

/** tanh′ = 1 − tanh². */
export const tanhOp = defineUnary("tanh", onnx("Tanh"), (g, _x, y) =>
  multiply(g, subtract(scalar(1), multiply(y, y))),
);
/** ∂erf(x)/∂x = 2/√π · e^(−x²). */
export const errorFunctionOp = defineUnary("errorFunction", onnx("Erf"), (g, x) =>
  multiply(multiply(g, scalar(2 / Math.sqrt(Math.PI))), exponential(negate(multiply(x, x)))),
);
/** GELU: x·Φ(x), Φ(x) = (1 + erf(x/√2))/2, the normal distribution function (Hendrycks & Gimpel 2016). ∂/∂x = Φ + x·φ. */
export const geluOp = defineUnary(
  "gelu",
  (writer, x) => writer.node("Gelu", [x], {}, { domain: "com.microsoft" }),
  (g, x) => {
    const scaled = multiply(x, scalar(Math.SQRT1_2));
    const distribution = multiply(add(errorFunction(scaled), scalar(1)), scalar(0.5));
    const density = multiply(
      exponential(negate(multiply(scaled, scaled))),
      scalar(1 / Math.sqrt(2 * Math.PI)),
    );
    return multiply(g, add(distribution, multiply(x, density)));
  },
);

/** cos x, radians. */
export const cosine = (x: Tensor): Tensor => apply(cosineOp, [x], undefined);
/** sin x, radians. */
export const sine = (x: Tensor): Tensor => apply(sineOp, [x], undefined);
/** −x. */
export const negate = (x: Tensor): Tensor => apply(negateOp, [x], undefined);
/** eˣ. */
export const exponential = (x: Tensor): Tensor => apply(exponentialOp, [x], undefined);
/** Natural logarithm. */
export const logarithm = (x: Tensor): Tensor => apply(logarithmOp, [x], undefined);
/** √x. */
export const squareRoot = (x: Tensor): Tensor => apply(squareRootOp, [x], undefined);
/** σ(x) = 1/(1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => apply(sigmoidOp, [x], undefined);
/** log(1 + eˣ) without overflow; −log σ(x) = softplus(−x). */
export const softplus = (x: Tensor): Tensor => apply(softplusOp, [x], undefined);
/** x·σ(x). */
export const silu = (x: Tensor): Tensor => apply(siluOp, [x], undefined);
/** tanh x. */
export const tanh = (x: Tensor): Tensor => apply(tanhOp, [x], undefined);
/** erf x = 2/√π · ∫₀ˣ e^(−t²) dt. */
export const errorFunction = (x: Tensor): Tensor => apply(errorFunctionOp, [x], undefined);
/** GELU ("gelu"), without an approximation. */
export const gelu = (x: Tensor): Tensor => apply(geluOp, [x], undefined);
/** GELU by its tanh approximation, as in Gemma ("gelu_pytorch_tanh"). */
export const tanhGelu = (x: Tensor): Tensor => apply(tanhGeluOp, [x], undefined);
