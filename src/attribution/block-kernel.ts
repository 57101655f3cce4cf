import { bytesPerElement } from "../store/shard-layout.ts";
import type { VectorStoreManifest } from "../store/vector-store-manifest.ts";

/** Multiplies blocks of stored vectors with fixed columns. R rows of a block, D dimensions, K columns. */
export interface BlockKernel extends AsyncDisposable {
  /** Where blocks are read into, one behind the other; of equal size. */
  readonly buffers: readonly Uint8Array[];
  /** The products of the first `rows` rows of a buffer; valid until the next call. */
  multiply(buffer: number, rows: number): Promise<BlockProducts>;
}

export interface BlockProducts {
  /** Row by row, `stride` values each, of which the first K are the products. */
  readonly products: Float32Array;
  readonly stride: number;
  /** ‖x − mean‖² of each row where a mean was given. */
  readonly squares?: Float32Array | undefined;
}

/** How vectors are stored. */
type StoredVectors = Pick<VectorStoreManifest, "dtype" | "dim">;

export interface KernelOptions extends StoredVectors {
  /** K vectors, [D] each. */
  readonly columns: readonly Float32Array[];
  /** Subtracted from every stored vector first, [D]; default none. */
  readonly mean?: Float32Array | undefined;
  /** Threads of the arithmetic; default: one for each core. */
  readonly threads?: number | undefined;
}

/** One block in use and two being read: reading goes on while the arithmetic holds the thread. */
export const BUFFERS = 3;
/** Large enough that a call's overhead vanishes, small enough that a block stays in the processor's cache. */
const BLOCK_BYTES = 4 * 2 ** 20;
const MAX_PRODUCT_BYTES = 16 * 2 ** 20;

/** Rows of a block: about 4 MiB of vectors and at most 16 MiB of products. */
export function blockRows({ dtype, dim }: StoredVectors, stride: number): number {
  const byInput = Math.floor(BLOCK_BYTES / (dim * bytesPerElement(dtype)));
  const byOutput = Math.floor(MAX_PRODUCT_BYTES / (4 * stride));
  return Math.max(1, Math.min(byInput, byOutput));
}

/** Buffers for blocks of so many rows. */
export function blockBuffers({ dtype, dim }: StoredVectors, rows: number): readonly Uint8Array[] {
  return Array.from({ length: BUFFERS }, () => new Uint8Array(rows * dim * bytesPerElement(dtype)));
}
