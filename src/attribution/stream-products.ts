import { compile, type TensorValue } from "../runtime/ort.ts";
import type { VectorStore } from "../store/open-store.ts";
import { streamBlocks } from "../store/stream-blocks.ts";
import { input } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import type { JobOptions } from "../util/progress.ts";
import {
  blockBuffers,
  blockInput,
  blockRows,
  blockTensor,
  createGraphKernel,
  type KernelOptions,
  type ProductBlock,
} from "./block-kernel.ts";
import { canUseHalfDot, createHalfDotKernel } from "./half-dot-wasm.ts";
import { streamOnThreads, threadsFor } from "./product-threads.ts";

/** Which vectors of a store are gone through. */
interface PassOptions extends JobOptions, Pick<KernelOptions, "threads"> {
  readonly layer: number;
}

/**
 * One pass over a layer of the store: the inner products of every stored vector with K columns, block by block in store
 * order. A block is valid until the next one is asked for; memory does not grow with the store.
 */
export async function* streamProducts(
  store: VectorStore,
  options: PassOptions & Pick<KernelOptions, "columns" | "mean">,
): AsyncGenerator<ProductBlock, void, void> {
  const { layer, columns, mean, threads, signal, progress } = options;
  const { dtype, dim } = store.manifest;
  const job = { dtype, dim, columns, mean, threads };
  const count = threadsFor({ ...job, rows: store.rows });
  if (count > 1) {
    for await (const block of streamOnThreads(store, { ...job, layer, threads: count })) {
      signal?.throwIfAborted();
      yield block;
      progress?.update(block.firstRow + block.rows, store.rows);
    }
    return;
  }
  // The fastest: a WebAssembly routine for one half-precision column, else ONNX Runtime.
  await using kernel = canUseHalfDot(job) ? createHalfDotKernel(job) : await createGraphKernel(job);
  for await (const { buffer, firstRow, rows } of streamBlocks(store, layer, kernel.buffers)) {
    signal?.throwIfAborted();
    yield { ...(await kernel.multiply(buffer, rows)), firstRow, rows };
    progress?.update(firstRow + rows, store.rows);
  }
}

/** The mean of all stored vectors at a layer, [D]; one pass. Blocks are summed in single, their sums in double precision. */
export async function meanVector(store: VectorStore, options: PassOptions): Promise<Float32Array> {
  const { layer, threads, signal, progress } = options;
  const { dtype, dim } = store.manifest;
  const rows = blockRows({ dtype, dim }, 1);
  const buffers = blockBuffers({ dtype, dim }, rows);
  const sum = matMul(input("ones", "float32", [1, "R"]), blockInput(dtype, dim));
  await using program = await compile(lowerToOnnx({ sum }), { threads });
  const ones = new Float32Array(rows).fill(1);
  const total = new Float64Array(dim);
  for await (const block of streamBlocks(store, layer, buffers)) {
    signal?.throwIfAborted();
    const weights: TensorValue = {
      dtype: "float32",
      shape: [1, block.rows],
      array: ones.subarray(0, block.rows),
    };
    const x = blockTensor(dtype, dim, buffers[block.buffer]!, block.rows);
    const { sum: found } = await program.run({ ones: weights, x });
    for (let i = 0; i < dim; i++) total[i]! += Number(found!.array[i]);
    progress?.update(block.firstRow + block.rows, store.rows);
  }
  return Float32Array.from(total, (value) => value / store.rows);
}
