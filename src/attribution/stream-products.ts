import type { VectorStore } from "../store/open-store.ts";
import { streamBlocks } from "../store/stream-blocks.ts";
import type { JobOptions } from "../util/progress.ts";
import type { BlockProducts } from "./block-kernel.ts";
import { createBlockKernel } from "./create-block-kernel.ts";

export interface StreamProductsOptions extends JobOptions {
  readonly layer: number;
  /** K vectors, [D] each. */
  readonly columns: readonly Float32Array[];
  /** Subtracted from every stored vector first, [D]; default none. */
  readonly mean?: Float32Array | undefined;
  readonly threads?: number | undefined;
}

/** The products of one block of store rows. */
export interface ProductBlock extends BlockProducts {
  /** Store row of the first. */
  readonly firstRow: number;
  readonly rows: number;
}

/**
 * One pass over a layer of the store: the inner products of every stored vector with K columns, block by block in store
 * order. A block is valid until the next one is asked for; memory does not grow with the store.
 */
export async function* streamProducts(
  store: VectorStore,
  options: StreamProductsOptions,
): AsyncGenerator<ProductBlock, void, void> {
  const { layer, columns, mean, threads, signal, progress } = options;
  const { dtype, dim } = store.manifest;
  await using kernel = await createBlockKernel({
    dtype,
    dim,
    columns,
    mean,
    threads,
  });
  for await (const { buffer, firstRow, rows } of streamBlocks(store, layer, kernel.buffers)) {
    signal?.throwIfAborted();
    yield { ...(await kernel.multiply(buffer, rows)), firstRow, rows };
    progress?.update(firstRow + rows, store.rows);
  }
}
