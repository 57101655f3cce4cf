/** @file The part of the ONNX file format that the lowering writes: plain data in, protobuf bytes out. */
import { createRequire } from "node:module";

import type * as protobuf from "protobufjs";

/** Element types, with their number in the ONNX format. */
export const ONNX_ELEMENT_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;
export type OnnxElementType = keyof typeof ONNX_ELEMENT_TYPE;

/** A size in a shape: a number, or a name for a size known only when the graph runs. */
export type OnnxDim = number | string;

/** A node's attribute; a plain number must say whether it is an int or a float. */
export type OnnxAttribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] };

/** Attribute shorthands. */
export const int = (value: number): OnnxAttribute => ({ kind: "int", value });
export const float = (value: number): OnnxAttribute => ({ kind: "float", value });

/** One operator call; an empty input name leaves an optional input out. */
export interface OnnxNode {
  readonly opType: string;
  /** "" is ONNX's own operator set, "com.microsoft" ONNX Runtime's. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A graph input or output. */
export interface OnnxValue {
  readonly name: string;
  readonly elementType: OnnxElementType;
  readonly shape: readonly OnnxDim[];
}

/** A constant inside the file; `bytes` little-endian, row by row. */
export interface OnnxInitializer {
  readonly name: string;
  readonly elementType: OnnxElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
}

/** Operator set 23 brought Attention, RMSNormalization and RotaryEmbedding. */
const OPSET_VERSION = 23;
/** The file version that goes with it. */
const IR_VERSION = 11;
/** ONNX Runtime's own operators have had one version so far. */
const MICROSOFT_OPSET_VERSION = 1;

/** Protobuf readers stop at 2 GiB; larger constants have to be inputs. */
export const MAX_ONNX_BYTES = 2 ** 31 - 1;

/** Serialises a graph as an ONNX model file. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const model = {
    irVersion: IR_VERSION,
    producerName: "culprit",
    opsetImport: [
      { domain: "", version: OPSET_VERSION },
      { domain: "com.microsoft", version: MICROSOFT_OPSET_VERSION },
    ],
    graph: {
      name: graph.name,
      node: graph.nodes.map((node, i) => ({
        name: `${node.opType}_${i}`,
        opType: node.opType,
        domain: node.domain,
        input: node.inputs,
        output: node.outputs,
        attribute: Object.entries(node.attributes).map(([name, attribute]) =>
          attributeMessage(name, attribute),
        ),
      })),
      initializer: graph.initializers.map((tensor) => ({
        name: tensor.name,
        dims: tensor.shape,
        dataType: ONNX_ELEMENT_TYPE[tensor.elementType],
        rawData: tensor.bytes,
      })),
      input: graph.inputs.map(valueMessage),
      output: graph.outputs.map(valueMessage),
    },
  };
  const proto = modelProto();
  return proto.encode(proto.create(model)).finish();
}

function valueMessage(value: OnnxValue): object {
  const dim = value.shape.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size },
  );
  return {
    name: value.name,
    type: { tensorType: { elemType: ONNX_ELEMENT_TYPE[value.elementType], shape: { dim } } },
  };
}

function attributeMessage(name: string, attribute: OnnxAttribute): object {
  switch (attribute.kind) {
    case "float":
      return { name, type: 1, f: attribute.value };
    case "int":
      return { name, type: 2, i: attribute.value };
    case "string":
      return { name, type: 3, s: new TextEncoder().encode(attribute.value) };
    case "ints":
      return { name, type: 7, ints: attribute.value };
  }
}

let made: protobuf.Type | undefined;

/** The package is loaded when a model is written: most commands write none. */
function modelProto(): protobuf.Type {
  if (made === undefined) {
    const { Root } = createRequire(import.meta.url)("protobufjs") as typeof protobuf;
    made = Root.fromJSON(MODEL_PROTO).lookupType("ModelProto");
  }
  return made;
}

/** Field numbers from onnx.proto; only the messages and fields written above. */
const MODEL_PROTO = {
  nested: {
    ModelProto: {
      fields: {
        irVersion: { id: 1, type: "int64" },
        producerName: { id: 2, type: "string" },
        graph: { id: 7, type: "GraphProto" },
        opsetImport: { id: 8, type: "OperatorSetIdProto", rule: "repeated" },
      },
    },
    OperatorSetIdProto: {
      fields: { domain: { id: 1, type: "string" }, version: { id: 2, type: "int64" } },
    },
    GraphProto: {
      fields: {
        node: { id: 1, type: "NodeProto", rule: "repeated" },
        name: { id: 2, type: "string" },
        initializer: { id: 5, type: "TensorProto", rule: "repeated" },
        input: { id: 11, type: "ValueInfoProto", rule: "repeated" },
        output: { id: 12, type: "ValueInfoProto", rule: "repeated" },
      },
    },
    NodeProto: {
      fields: {
        input: { id: 1, type: "string", rule: "repeated" },
        output: { id: 2, type: "string", rule: "repeated" },
        name: { id: 3, type: "string" },
        opType: { id: 4, type: "string" },
        attribute: { id: 5, type: "AttributeProto", rule: "repeated" },
        domain: { id: 7, type: "string" },
      },
    },
    AttributeProto: {
      fields: {
        name: { id: 1, type: "string" },
        f: { id: 2, type: "float" },
        i: { id: 3, type: "int64" },
        s: { id: 4, type: "bytes" },
        ints: { id: 8, type: "int64", rule: "repeated", options: { packed: false } },
        type: { id: 20, type: "int32" },
      },
    },
    TensorProto: {
      fields: {
        dims: { id: 1, type: "int64", rule: "repeated", options: { packed: false } },
        dataType: { id: 2, type: "int32" },
        name: { id: 8, type: "string" },
        rawData: { id: 9, type: "bytes" },
      },
    },
    ValueInfoProto: {
      fields: { name: { id: 1, type: "string" }, type: { id: 2, type: "TypeProto" } },
    },
    TypeProto: { fields: { tensorType: { id: 1, type: "TensorTypeProto" } } },
    TensorTypeProto: {
      fields: { elemType: { id: 1, type: "int32" }, shape: { id: 2, type: "TensorShapeProto" } },
    },
    TensorShapeProto: { fields: { dim: { id: 1, type: "DimensionProto", rule: "repeated" } } },
    DimensionProto: {
      fields: { dimValue: { id: 1, type: "int64" }, dimParam: { id: 2, type: "string" } },
      oneofs: { value: { oneof: ["dimValue", "dimParam"] } },
    },
  },
};
