import { compile } from "../runtime/ort.ts";
import type { VectorStore } from "../store/open-store.ts";
import { bytesPerElement } from "../store/shard-layout.ts";
import { streamBlocks } from "../store/stream-blocks.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { transpose } from "../tensor/ops/transpose.ts";
import type { JobOptions } from "../util/progress.ts";
import { blockBuffers, blockInput, blockRows, blockTensor } from "./block-kernel.ts";

export interface CovarianceOptions extends JobOptions {
  readonly layer: number;
  /** The mean of the vectors, [D]. */
  readonly mean: Float32Array;
  readonly threads?: number | undefined;
  readonly count: (used: { readonly bytes: number; readonly flops: number }) => void;
}

/**
 * The covariance of a layer's vectors, [D, D] row by row, divided by N; one pass. Blocks are summed in single, their sums in double precision.
 * Memory: twelve bytes for each element and three blocks of D rows at least.
 */
export async function covariance(
  store: VectorStore,
  { layer, mean, threads, signal, progress, count }: CovarianceOptions,
): Promise<Float64Array> {
  const { dtype, dim } = store.manifest;
  // A block's product is as large as the matrix: with fewer rows, copying it would cost more than making it.
  const buffers = blockBuffers({ dtype, dim }, Math.max(blockRows({ dtype, dim }, 1), dim));
  const x = blockInput(dtype, dim);
  const products = matMul(transpose(x, [1, 0]), x);
  await using program = await compile(lowerToOnnx({ products }), { threads });
  const total = new Float64Array(dim * dim);
  for await (const block of streamBlocks(store, layer, buffers)) {
    signal?.throwIfAborted();
    const rows = blockTensor(dtype, dim, buffers[block.buffer]!, block.rows);
    const { array } = (await program.run({ x: rows }))["products"]!;
    for (let i = 0; i < total.length; i++) total[i]! += Number(array[i]);
    const values = block.rows * dim;
    count({ bytes: values * bytesPerElement(dtype), flops: 2 * values * dim });
    progress?.update(block.firstRow + block.rows, store.rows);
  }
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j < dim; j++) {
      total[i * dim + j] = total[i * dim + j]! / store.rows - mean[i]! * mean[j]!;
    }
  }
  return total;
}
