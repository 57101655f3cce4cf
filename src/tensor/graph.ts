/**
 * @file The tensor graph: immutable values that know their type and what made them.
 *
 * There is no graph object and no tape. A graph is whatever its outputs reach; `lowerToOnnx` walks back from them. A size is a
 * number or a name, so one graph serves every batch and token count.
 */
import type { OnnxAttribute } from "../format/onnx.ts";
import { ShapeError } from "../util/errors.ts";
import type { DType, Shape, TensorType } from "./shape.ts";

/** A value in a graph. */
export interface Tensor extends TensorType {
  readonly source: TensorSource;
}

/** Where a value comes from. */
export type TensorSource =
  /** Given at each run. */
  | { readonly kind: "input"; readonly name: string }
  /** A weight, bound once by name when the graph is compiled and shared between graphs. */
  | { readonly kind: "parameter"; readonly name: string }
  /** Fixed numbers inside the graph; for small things. */
  | { readonly kind: "constant"; readonly values: ConstantValues }
  | { readonly kind: "op"; readonly op: AppliedOp };

/** Numbers of a constant, row by row; int64 and bool are given as plain numbers and packed by the lowering. */
export type ConstantValues = Float32Array | readonly number[];

/** An op with its inputs and attributes filled in. */
export interface AppliedOp {
  readonly kind: string;
  readonly inputs: readonly Tensor[];
  /** As the op's definition types them. */
  readonly attributes: unknown;
  /** Writes the op as ONNX nodes. */
  lower(writer: OnnxWriter, inputNames: readonly string[]): string;
  /** The same op with the same attributes on other inputs. */
  withInputs(inputs: readonly Tensor[]): Tensor;
  /** Gradients with respect to each input, given that of the output. */
  gradient: AppliedGradient;
}
export type AppliedGradient =
  | ((output: Tensor, outputGradient: Tensor) => readonly (Tensor | undefined)[])
  /** Mathematically there is none (integers, comparisons), or the op is for sampling alone and `gradients` refuses it. */
  | "none";

/** What an op's lowering may do: add nodes and small constants. Names are made unique by the writer. */
export interface OnnxWriter {
  /**
   * Returns the name of one output of a node, the first unless `output` says otherwise. The node is added unless there is one with
   * the same type, inputs and attributes, so what two ops have in common is computed once.
   */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    options?: { readonly domain?: string | undefined; readonly output?: number | undefined },
  ): string;
  /** Adds a constant and returns its name. */
  constant(dtype: DType, shape: readonly number[], values: ConstantValues): string;
}

/** One op: everything there is to know of it in one place. `A` are its attributes. */
export interface OpDefinition<A> {
  readonly kind: string;
  /** Type of the output; throws ShapeError where the inputs do not fit. */
  infer(inputs: readonly TensorType[], attributes: A): TensorType;
  /** Writes ONNX nodes; returns the name of the output. */
  lower(writer: OnnxWriter, inputNames: readonly string[], call: OpCall<A>): string;
  /**
   * The vector-Jacobian product: given the gradient of the output, those of the inputs (undefined where an input has none),
   * built from other ops, with the derivation as a comment beside it.
   */
  readonly gradient:
    | ((call: DoneCall<A>, outputGradient: Tensor) => readonly (Tensor | undefined)[])
    | "none";
}

/** One use of an op. */
export interface OpCall<A> {
  readonly inputs: readonly Tensor[];
  readonly attributes: A;
  readonly output: TensorType;
}

/** One use of an op with the value that came of it. */
export interface DoneCall<A> extends OpCall<A> {
  readonly output: Tensor;
}

/** Uses an op: infers the output's type at once, so that a wrong shape fails where it was written. */
export function apply<A>(
  definition: OpDefinition<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor {
  const output = definition.infer(inputs, attributes);
  const { gradient } = definition;
  return {
    ...output,
    source: {
      kind: "op",
      op: {
        kind: definition.kind,
        inputs,
        attributes,
        lower: (writer, names) => definition.lower(writer, names, { inputs, attributes, output }),
        withInputs: (others) => apply(definition, others, attributes),
        gradient:
          typeof gradient === "string"
            ? gradient
            : (result, outputGradient) =>
                gradient({ inputs, attributes, output: result }, outputGradient),
      },
    },
  };
}

/** A value given at each run. */
export function input(name: string, dtype: DType, shape: Shape): Tensor {
  return { dtype, shape, source: { kind: "input", name } };
}

/** A weight, by its name in the checkpoint; shape known. */
export function parameter(
  name: string,
  shape: readonly number[],
  dtype: DType = "float32",
): Tensor {
  return { dtype, shape, source: { kind: "parameter", name } };
}

/** Fixed numbers. Throws ShapeError where their count does not fit the shape. */
export function constant(dtype: DType, shape: readonly number[], values: ConstantValues): Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size !== values.length) {
    throw new ShapeError(`constant: expected ${size} values, got ${values.length}`);
  }
  return { dtype, shape, source: { kind: "constant", values } };
}

/** A single float32 number. */
export function scalar(value: number): Tensor {
  return constant("float32", [], [value]);
}
