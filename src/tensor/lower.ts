import {
  encodeOnnx,
  MAX_ONNX_BYTES,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
} from "../format/onnx.ts";
import { UnsupportedError } from "../util/errors.ts";
import type { ConstantValues, OnnxWriter, Tensor } from "./graph.ts";
import type { DType } from "./shape.ts";

/** A graph ready to compile. */
export interface LoweredGraph {
  readonly bytes: Uint8Array;
  /** What each run must give, by name. */
  readonly inputs: readonly OnnxValue[];
  /** The weights it needs, by name; empty where they were written as constants. */
  readonly parameters: readonly OnnxValue[];
  readonly outputs: readonly string[];
  readonly nodeCount: number;
}

export interface LowerOptions {
  /**
   * Weights to write into the file as constants, by parameter name: ONNX Runtime then packs them once for its matrix kernels,
   * at the price of a copy for each session and 2 GiB at most. Default: every weight is an input, one copy for all sessions.
   */
  readonly constantWeights?: ReadonlyMap<string, Float32Array> | undefined;
}

/** Constants up to this many numbers are looked for among those already written. */
const MAX_SHARED_CONSTANT = 16;

/** Writes everything that `outputs` reach as one ONNX file. */
export function lowerToOnnx(
  outputs: Readonly<Record<string, Tensor>>,
  options: LowerOptions = {},
): LoweredGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const inputs = new Map<string, OnnxValue>();
  const parameters = new Map<string, OnnxValue>();
  const names = new Map<Tensor, string>();
  let count = 0;
  const freshName = (): string => `v${count++}`;

  const outputsOf = new Map<string, string[]>();
  const constants = new Map<string, string>();
  const writer: OnnxWriter = {
    node(opType, inputNames, attributes = {}, { domain = "", output = 0 } = {}) {
      const key = JSON.stringify([opType, domain, inputNames, attributes]);
      let made = outputsOf.get(key);
      if (made === undefined) {
        made = [freshName()];
        outputsOf.set(key, made);
        nodes.push({ opType, domain, inputs: inputNames, outputs: made, attributes });
      }
      while (made.length <= output) made.push(""); // an empty name leaves an output out
      if (made[output] === "") made[output] = freshName();
      return made[output]!; // filled just now
    },
    constant(dtype, shape, values) {
      const isSmall = values.length <= MAX_SHARED_CONSTANT;
      const key = isSmall ? JSON.stringify([dtype, shape, [...values].map(spell)]) : "";
      const known = isSmall ? constants.get(key) : undefined;
      if (known !== undefined) return known;
      const name = freshName();
      initializers.push({ name, elementType: dtype, shape, bytes: packConstant(dtype, values) });
      if (isSmall) constants.set(key, name);
      return name;
    },
  };
  const declare = (into: Map<string, OnnxValue>, name: string, tensor: Tensor): string => {
    into.set(name, { name, elementType: tensor.dtype, shape: tensor.shape });
    return name;
  };
  const write = (tensor: Tensor): string => {
    const { source } = tensor;
    switch (source.kind) {
      case "input":
        return declare(inputs, source.name, tensor);
      case "parameter": {
        const values = options.constantWeights?.get(source.name);
        if (values === undefined) return declare(parameters, source.name, tensor);
        return writer.constant("float32", tensor.shape as readonly number[], values); // parameters have no named sizes
      }
      case "constant":
        return writer.constant(tensor.dtype, tensor.shape as readonly number[], source.values); // nor do constants
      case "op":
        return source.op.lower(
          writer,
          source.op.inputs.map((each) => names.get(each)!), // inputs come first in the order below
        );
    }
  };
  for (const tensor of inOrder(Object.values(outputs))) names.set(tensor, write(tensor));

  const outputValues = Object.entries(outputs).map(([name, tensor]): OnnxValue => {
    // An output has the user's name, whatever its value was called inside.
    nodes.push({
      opType: "Identity",
      domain: "",
      inputs: [names.get(tensor)!],
      outputs: [name],
      attributes: {},
    });
    return { name, elementType: tensor.dtype, shape: tensor.shape };
  });
  const constantBytes = initializers.reduce((sum, each) => sum + each.bytes.byteLength, 0);
  if (constantBytes > MAX_ONNX_BYTES) {
    throw new UnsupportedError(
      `graph: its constants take ${constantBytes} bytes, an ONNX file holds at most ${MAX_ONNX_BYTES}`,
      { hint: "Bind the weights as inputs (the default) instead of constants." },
    );
  }
  return {
    bytes: encodeOnnx({
      name: "culprit",
      nodes,
      inputs: [...inputs.values(), ...parameters.values()],
      outputs: outputValues,
      initializers,
    }),
    inputs: [...inputs.values()],
    parameters: [...parameters.values()],
    outputs: Object.keys(outputs),
    nodeCount: nodes.length,
  };
}

/** Every tensor that the outputs reach, inputs before what uses them; a loop, since graphs outgrow the call stack. */
export function inOrder(outputs: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { tensor: Tensor; isExpanded: boolean }[] = outputs
    .toReversed()
    .map((tensor) => ({ tensor, isExpanded: false }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { tensor, isExpanded } = top;
    if (isExpanded) {
      order.push(tensor);
      continue;
    }
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    stack.push({ tensor, isExpanded: true });
    if (tensor.source.kind === "op") {
      for (const each of tensor.source.op.inputs.toReversed()) {
        if (!seen.has(each)) stack.push({ tensor: each, isExpanded: false });
      }
    }
  }
  return order;
}

/** JSON has no −0, NaN or infinity. */
function spell(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : `${Object.is(value, -0) ? "-0" : value}`;
}

function packConstant(dtype: DType, values: ConstantValues): Uint8Array {
  const viewBytes = (array: Float32Array | Int32Array | BigInt64Array | Uint8Array): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  switch (dtype) {
    case "float32":
      return viewBytes(values instanceof Float32Array ? values : Float32Array.from(values));
    case "int32":
      return viewBytes(Int32Array.from(values));
    case "int64":
      return viewBytes(BigInt64Array.from([...values].map(BigInt)));
    case "bool":
      return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
    case "float16":
    case "int8":
    case "uint8":
      throw new Error(`internal: ${dtype} constants are not needed yet`);
  }
}
