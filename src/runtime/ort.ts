/** @file The only importer of onnxruntime-node: compile a graph, bind weights, run. */
import { createRequire } from "node:module";

import type * as Ort from "onnxruntime-node";

import type { OnnxElementType } from "../format/onnx.ts";
import type { LoweredGraph } from "../tensor/lower.ts";
import { CulpritError, RuntimeError, ShapeError, UnsupportedError } from "../util/errors.ts";
import type { Device } from "./device.ts";

let runtime: Promise<typeof Ort> | undefined;

/** Loads the library when something is first compiled: commands that compute nothing start without it. */
function loadRuntime(): Promise<typeof Ort> {
  runtime ??= import("onnxruntime-node").then((ort) => {
    // Whatever goes wrong reaches the caller as an error; ONNX Runtime's own lines on stderr would only repeat it.
    ort.env.logLevel = "fatal";
    return ort;
  });
  return runtime;
}

/** Path of the library, for threads, which load it anew. */
export const ortLibrary = (): string => createRequire(import.meta.url).resolve("onnxruntime-node");

/** The arrays that carry tensors in and out. float16 travels as raw 16-bit words. */
export type TensorArray =
  | Float32Array
  | Uint16Array
  | Int8Array
  | Int32Array
  | BigInt64Array
  | Uint8Array;

/** The arrays that weights are bound in: float32, or whole numbers with their scales beside them. */
export type WeightArray = Float32Array | Int8Array | Uint8Array;

/** Numbers with their shape, row by row. */
export interface TensorValue {
  readonly dtype: OnnxElementType;
  readonly shape: readonly number[];
  readonly array: TensorArray;
}

/** Weights that are shared, without a copy, by every program that names them. */
export interface BoundWeights {
  readonly arrays: ReadonlyMap<string, BoundWeight>;
}

interface BoundWeight {
  readonly shape: readonly number[];
  readonly values: WeightArray;
}

/** A compiled graph. Runs are one at a time; a run blocks the calling thread. */
export interface Program extends AsyncDisposable {
  /** Outputs by name, in fresh memory. Inputs are read in place and must not change meanwhile. */
  run(
    inputs: Readonly<Record<string, TensorValue>>,
  ): Promise<Readonly<Record<string, TensorValue>>>;
}

export interface CompileOptions {
  /** Default `cpu`. */
  readonly device?: Device | undefined;
  /** Threads inside one op; default: one for each core. */
  readonly threads?: number | undefined;
  readonly weights?: BoundWeights | undefined;
  /** Where ONNX Runtime writes what each node took (`<prefix>_<time>.json`), when the program is disposed of; for benchmarks. */
  readonly profilePrefix?: string | undefined;
}

/** Takes weights, row by row; the arrays are used in place and must not change. */
export function bindWeights(
  weights: Iterable<readonly [name: string, shape: readonly number[], values: WeightArray]>,
): BoundWeights {
  return {
    arrays: new Map([...weights].map(([name, shape, values]) => [name, { shape, values }])),
  };
}

/** Makes a graph runnable. Throws UnsupportedError where the device's library is absent; there is no silent fall-back. */
export async function compile(graph: LoweredGraph, options: CompileOptions = {}): Promise<Program> {
  const { device = "cpu", weights, profilePrefix } = options;
  const ort = await loadRuntime();
  expectDevice(ort, device);
  const bound = Object.fromEntries(
    graph.parameters.map(({ name, shape }) => {
      const weight = weights?.arrays.get(name);
      if (weight === undefined) throw new Error(`internal: weight "${name}" is not bound`);
      if (weight.shape.join() !== shape.join()) {
        throw new ShapeError(
          `weight "${name}": the graph expects [${shape.join(", ")}], got [${weight.shape.join(", ")}]`,
        );
      }
      return [name, wrapWeight(ort, weight)];
    }),
  );
  const session = await createSession(ort, graph.bytes, { ...options, device });
  return {
    async run(inputs) {
      const feeds: Record<string, Ort.Tensor> = { ...bound };
      for (const { name } of graph.inputs) {
        const value = inputs[name];
        if (value === undefined) throw new Error(`internal: input "${name}" was not given`);
        feeds[name] = toOrt(ort, value);
      }
      try {
        const results = await session.run(feeds);
        return Object.fromEntries(
          Object.entries(results).map(([name, tensor]) => [name, readTensor(name, tensor)]),
        );
      } catch (error) {
        throw describeRunError(error);
      }
    },
    async [Symbol.asyncDispose]() {
      if (profilePrefix !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

function wrapWeight(ort: typeof Ort, { values, shape }: BoundWeight): Ort.Tensor {
  if (values instanceof Int8Array) return new ort.Tensor("int8", values, shape);
  return values instanceof Uint8Array
    ? new ort.Tensor("uint8", values, shape)
    : new ort.Tensor("float32", values, shape);
}

/**
 * Wraps an input in place. Half precision goes in as raw words under a changed label: where the engine has a Float16Array (Node 24)
 * onnxruntime-common turns the words into one, and the native side of 1.30 reads that as empty.
 */
function toOrt(ort: typeof Ort, { dtype, array, shape }: TensorValue): Ort.Tensor {
  if (dtype !== "float16") return new ort.Tensor(dtype, array as Ort.Tensor["data"], shape); // the declared kinds of array
  const words = new ort.Tensor("uint16", array as Uint16Array, shape); // how float16 travels, see TensorArray
  return Object.assign(words, { type: "float16" as const });
}

function readTensor(name: string, tensor: Ort.Tensor): TensorValue {
  const array = tensor.data;
  if (Array.isArray(array)) throw new Error(`internal: output "${name}" holds strings`);
  return {
    dtype: tensor.type as OnnxElementType, // outputs have the types that the graph declared
    shape: tensor.dims,
    array: array as TensorArray, // hence one of these arrays
  };
}

async function createSession(
  ort: typeof Ort,
  bytes: Uint8Array,
  { device, threads, profilePrefix }: CompileOptions & { readonly device: Device },
): Promise<Ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [device],
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(profilePrefix === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: profilePrefix }),
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      // A memory pattern is kept for every distinct shape; token counts vary all the time.
      enableMemPattern: false,
      logSeverityLevel: 4,
    });
  } catch (error) {
    if (device === "cpu") throw error;
    throw new UnsupportedError(`device ${device}: ONNX Runtime could not start it`, {
      hint: deviceHint(device),
      cause: error,
    });
  }
}

function expectDevice(ort: typeof Ort, device: Device): void {
  const available = ort.listSupportedBackends().map((backend) => backend.name);
  if (available.includes(device)) return;
  throw new UnsupportedError(
    `device ${device}: this build of onnxruntime-node has no such execution provider, it has ${available.join(", ")}`,
    { hint: deviceHint(device) },
  );
}

function deviceHint(device: Device): string {
  switch (device) {
    case "cpu":
      return "Install the project's packages again: npm ci.";
    case "cuda":
      return "CUDA needs Linux x64, an NVIDIA driver and ONNX Runtime's CUDA library: run the install script of onnxruntime-node (npm rebuild onnxruntime-node --ignore-scripts=false), or use --device cpu.";
    case "webgpu":
      return "WebGPU needs a graphics driver that ONNX Runtime can open; use --device cpu.";
    case "coreml":
      return "CoreML exists on macOS only; use --device cpu.";
    case "dml":
      return "DirectML exists on Windows only; use --device cpu.";
  }
}

function describeRunError(error: unknown): unknown {
  if (error instanceof CulpritError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/alloc|out of memory/i.test(message)) {
    return new RuntimeError(`runtime: not enough memory for this batch (${message})`, {
      hint: "Lower --max-tokens or --batch-tokens.",
      cause: error,
    });
  }
  return error;
}
