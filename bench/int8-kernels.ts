/**
 * @file Which product with int8 weights is how fast on this processor, and how far off: what ONNX Runtime has, against its float32 product,
 * in turn in the same run, one thread, processor time, the best of ten.
 *
 *   npx tsx bench/int8-kernels.ts [--runs 10]
 *
 * "held" is what --precision INT8 does: int8 blocks are an input of the graph, widened, and multiplied in float32. The others have their
 * weights as constants, as they need; "whole numbers" round the activations too. "Loud columns apart" is LLM.int8() in ONNX's own nodes
 * (arXiv 2208.07339).
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import {
  encodeOnnx,
  int,
  ONNX_ELEMENT_TYPE,
  type OnnxElementType,
  type OnnxGraph,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
} from "../src/format/onnx.ts";
import { INT8_BLOCK, toInt8 } from "../src/model/int8-weights.ts";
import { compile, type Program, type TensorArray, type TensorValue } from "../src/runtime/ort.ts";
import { createRng } from "../src/util/rng.ts";
import { processorFeatures } from "./support.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });
const print = (line: string): void => void process.stdout.write(`${line}\n`);
// The file format of these kernels has a type that no graph of Culprit writes.
const UINT8 = "uint8" as OnnxElementType;
Object.assign(ONNX_ELEMENT_TYPE, { uint8: 2 });

/** Tokens, inner and outer width: two matrices of a block of SmolLM2-135M, one of a model of a billion weights. */
const SIZES = [
  [1024, 576, 1536],
  [1024, 1536, 576],
  [512, 2048, 2048],
] as const;

const bytesOf = (array: Float32Array | Int8Array | BigInt64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const node = (
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode["attributes"] = {},
  domain = "com.microsoft",
): OnnxNode => ({ opType, domain, inputs, outputs: [output], attributes });

type GraphParts = Pick<OnnxGraph, "nodes" | "inputs"> & Partial<OnnxGraph>;

interface Way {
  readonly name: string;
  readonly program: Program;
  readonly feeds: Readonly<Record<string, TensorValue>>;
}

async function makeWays(size: (typeof SIZES)[number]): Promise<Way[]> {
  const [m, k, n] = size;
  const rng = createRng(1);
  const numbers = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => rng.normal());
  const activations = numbers(m * k);
  const stored = numbers(n * k); // [N, K], as checkpoints have it
  const value = (
    name: string,
    shape: OnnxValue["shape"],
    elementType: OnnxElementType = "float32",
  ) => ({ name, shape, elementType }) as const;
  const weights = (
    name: string,
    shape: readonly number[],
    bytes: Uint8Array,
    elementType: OnnxElementType = "float32",
  ): OnnxInitializer => ({ name, elementType, shape, bytes });
  const tensor = (
    dtype: OnnxElementType,
    array: TensorArray,
    shape: readonly number[],
  ): TensorValue => ({ dtype, array, shape });
  const program = ({ nodes, inputs, initializers = [] }: GraphParts): Promise<Program> => {
    const outputs = [value("y", ["M", n])];
    const bytes = encodeOnnx({ name: "product", nodes, inputs, outputs, initializers });
    const graph = { bytes, inputs, parameters: [], outputs: ["y"], nodeCount: nodes.length };
    return compile(graph, { threads: 1 });
  };
  const x = tensor("float32", activations, [m, k]);
  const input = value("x", ["M", k]);
  const ways: Way[] = [];

  const turned = new Float32Array(k * n);
  for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) turned[i * n + j] = stored[j * k + i]!;
  ways.push({
    name: "float32",
    program: await program({
      inputs: [input, value("w", [k, n])],
      nodes: [node("MatMul", ["x", "w"], "y", {}, "")],
    }),
    feeds: { x, w: tensor("float32", turned, [k, n]) },
  });

  const held = toInt8(stored, k);
  const blocks = held.scales.length / n;
  ways.push({
    name: `held, block ${INT8_BLOCK}`,
    program: await program({
      inputs: [input, value("q", [n, k], "int8"), value("s", [n, blocks])],
      nodes: [
        node(
          "DequantizeLinear",
          ["q", "s"],
          "w",
          { axis: int(1), block_size: int(INT8_BLOCK) },
          "",
        ),
        node("FusedMatMul", ["x", "w"], "y", { transA: int(0), transB: int(1) }),
      ],
    }),
    feeds: {
      x,
      q: tensor("int8", held.values, [n, k]),
      s: tensor("float32", held.scales, [n, blocks]),
    },
  });

  for (const level of [0, 4]) {
    const attributes = { K: int(k), N: int(n), bits: int(8), block_size: int(INT8_BLOCK) };
    ways.push({
      name: `MatMulNBits, block ${INT8_BLOCK}, ${level === 4 ? "whole numbers" : "float32 products"}`,
      program: await program({
        inputs: [input],
        nodes: [
          node("MatMulNBits", ["x", "q", "s"], "y", { ...attributes, accuracy_level: int(level) }),
        ],
        initializers: [
          // Its zero is 128.
          weights(
            "q",
            [n, blocks, INT8_BLOCK],
            Uint8Array.from(held.values, (v) => v + 128),
            UINT8,
          ),
          weights("s", [n * blocks], bytesOf(held.scales)),
        ],
      }),
      feeds: { x },
    });
  }

  const step = turned.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127;
  const whole = Int8Array.from(turned, (w) => Math.round(w / step));
  ways.push({
    name: "DynamicQuantizeMatMul, one scale, whole numbers",
    program: await program({
      inputs: [input],
      nodes: [node("DynamicQuantizeMatMul", ["x", "q", "s"], "y")],
      initializers: [
        weights("q", [k, n], bytesOf(whole), "int8"),
        weights("s", [], bytesOf(new Float32Array([step]))),
      ],
    }),
    feeds: { x },
  });

  // A scale for each column of the weights and each row of the activations, whose eight loudest columns are found and stay float32.
  const scales = new Float32Array(n);
  const perColumn = new Int8Array(k * n);
  for (let j = 0; j < n; j++) {
    let largest = 0;
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(turned[i * n + j]!));
    scales[j] = largest / 127;
    for (let i = 0; i < k; i++) perColumn[i * n + j] = Math.round(turned[i * n + j]! / scales[j]!);
  }
  for (const isConstant of [true, false]) {
    const own = [
      ["q", [k, n], "int8", perColumn],
      ["s", [n], "float32", scales],
    ] as const;
    ways.push({
      name: `loud columns apart, scales of rows, whole numbers${isConstant ? "" : ", weights as inputs"}`,
      program: await program({
        inputs: [
          input,
          ...(isConstant ? [] : own.map(([name, shape, type]) => value(name, shape, type))),
        ],
        nodes: [
          node("Abs", ["x"], "sizes", {}, ""),
          node("ReduceMax", ["sizes", "rows"], "columnMax", { keepdims: int(0) }, ""),
          {
            opType: "TopK",
            domain: "",
            inputs: ["columnMax", "count"],
            outputs: ["_v", "loud"],
            attributes: { axis: int(0) },
          },
          node("ScatterElements", ["ones", "loud", "zeros"], "mask", { axis: int(0) }, ""),
          node("Mul", ["x", "mask"], "quiet", {}, ""),
          node("Mul", ["sizes", "mask"], "quietSizes", {}, ""),
          node("ReduceMax", ["quietSizes", "axes"], "largest", { keepdims: int(1) }, ""),
          node("Div", ["quiet", "largest"], "even", {}, ""),
          node("QuantizeLinear", ["even", "unit", "zero"], "whole", {}, ""),
          node("MatMulIntegerToFloat", ["whole", "q", "unit", "s", "zero"], "product"),
          node("Mul", ["product", "largest"], "scaled", {}, ""),
          node("Gather", ["x", "loud"], "apart", { axis: int(1) }, ""),
          node("Gather", ["q", "loud"], "loudWhole", { axis: int(0) }, ""),
          node("Cast", ["loudWhole"], "loudFloat", { to: int(1) }, ""),
          node("Mul", ["loudFloat", "s"], "loudRows", {}, ""),
          node("MatMul", ["apart", "loudRows"], "rest", {}, ""),
          node("Add", ["scaled", "rest"], "y", {}, ""),
        ],
        initializers: [
          weights("axes", [1], bytesOf(BigInt64Array.of(1n)), "int64"),
          weights("rows", [1], bytesOf(BigInt64Array.of(0n)), "int64"),
          weights("count", [1], bytesOf(BigInt64Array.of(8n)), "int64"),
          weights("ones", [k], bytesOf(new Float32Array(k).fill(1))),
          weights("zeros", [8], bytesOf(new Float32Array(8))),
          weights("unit", [], bytesOf(Float32Array.of(1 / 127))),
          weights("zero", [], Uint8Array.of(128), UINT8),
          ...(isConstant
            ? own.map(([name, shape, type, array]) => weights(name, shape, bytesOf(array), type))
            : []),
        ],
      }),
      feeds: {
        x,
        ...(isConstant
          ? {}
          : Object.fromEntries(
              own.map(([name, shape, type, array]) => [name, tensor(type, array, shape)]),
            )),
      },
    });
  }
  return ways;
}

async function run({ program, feeds }: Way): Promise<{ ms: number; y: Float32Array }> {
  const start = process.cpuUsage();
  const { y } = await program.run(feeds);
  const { user, system } = process.cpuUsage(start);
  return { ms: (user + system) / 1000, y: y!.array as Float32Array }; // float32 by its declaration
}

print(`${cpus()[0]!.model} (${processorFeatures()}), Node ${process.version}.\n`);
print("| tokens × inner × outer | product | its time by float32's | relative error |");
print("|---|---|---|---|");
for (const size of SIZES) {
  const ways = await makeWays(size);
  const best = new Map<string, number>();
  const errors = new Map<string, number>();
  for (let i = 0; i < Number(values.runs); i++) {
    let exact: Float32Array | undefined;
    for (const way of ways) {
      const { ms, y } = await run(way);
      exact ??= y; // float32 comes first
      best.set(way.name, Math.min(best.get(way.name) ?? Infinity, ms));
      let [off, all] = [0, 0];
      for (const [j, want] of exact.entries()) {
        off += (y[j]! - want) ** 2;
        all += want ** 2;
      }
      errors.set(way.name, Math.sqrt(off / all));
    }
  }
  for (const { name, program } of ways) {
    const share = best.get(name)! / best.get("float32")!;
    print(
      `| ${size.join(" × ")} | ${name} | ${share.toFixed(2)} | ${errors.get(name)!.toExponential(1)} |`,
    );
    await program[Symbol.asyncDispose]();
  }
}
