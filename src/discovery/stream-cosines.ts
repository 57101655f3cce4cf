import { streamProducts } from "../attribution/stream-products.ts";
import type { VectorStore } from "../store/open-store.ts";
import { type JobOptions, partOf } from "../util/progress.ts";
import type { Rows } from "./multiply-rows.ts";
import { rowOf } from "./multiply-rows.ts";

/** Columns whose values are held for all pairs at most: 128 take 194 MB for 378,339 pairs. */
export const MAX_STREAMED = 128;

export interface StreamOptions extends JobOptions {
  readonly layers: readonly number[];
  /** ‖v_d‖ of every pair, [N] for each layer. */
  readonly norms: readonly Float32Array[];
  readonly threads?: number | undefined;
}

/**
 * The inner products of every stored pair's unit row (see unitDifferences) with the rows of `directions`, one array [N] for each: one pass over
 * each layer, block by block. For directions of length 1 these are cosines. NaN for a vector of no length.
 */
export async function streamCosines(
  store: VectorStore,
  directions: Rows,
  { layers, norms, threads, signal, progress }: StreamOptions,
): Promise<readonly Float32Array[]> {
  const { dim } = store.manifest;
  const found = Array.from({ length: directions.count }, () => new Float32Array(store.rows));
  if (found.length === 0) return found;
  for (const [l, layer] of layers.entries()) {
    const columns = found.map((_, k) => rowOf(directions, k).slice(l * dim, (l + 1) * dim));
    const total = layers.length * store.rows;
    const part = partOf(progress, (done) => [l * store.rows + done, total]);
    const pass = { layer, columns, threads, signal, progress: part };
    for await (const { firstRow, rows, products, stride } of streamProducts(store, pass)) {
      for (let i = 0; i < rows; i++) {
        const row = firstRow + i;
        const factor = 1 / (norms[l]![row]! * Math.sqrt(layers.length));
        for (let k = 0; k < found.length; k++) {
          found[k]![row] = found[k]![row]! + products[i * stride + k]! * factor;
        }
      }
    }
  }
  return found;
}
