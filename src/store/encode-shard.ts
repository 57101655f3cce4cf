import type { SafetensorsTensor } from "../format/safetensors.ts";
import { RuntimeError } from "../util/errors.ts";
import { float32ToFloat16 } from "../util/float16.ts";
import type { StoreTable } from "./read-shard.ts";
import {
  layerTensor,
  normTensor,
  ROW_TENSOR,
  TOKEN_COLUMNS,
  TOKENS_TENSOR,
} from "./shard-layout.ts";
import type { VectorStoreManifest } from "./vector-store-manifest.ts";

/** The rows of one shard; R rows, D dimensions. */
export interface ShardRows extends Omit<StoreTable, "rows"> {
  /** Row numbers in the pair files, [R]. */
  readonly rows: ArrayLike<number>;
  /** Datapoint vectors of every layer of the manifest, [R, D] each. */
  readonly layers: ReadonlyMap<number, Float32Array>;
  /** Their lengths, [R] each, where the vectors were rounded before; absent: of the vectors as they are. */
  readonly norms?: ReadonlyMap<number, Float32Array> | undefined;
}

/** The largest finite half-precision number. */
const MAX_F16 = 65504;

/**
 * A shard's tensors and metadata. Norms are taken from the single-precision vectors before they are rounded.
 * Throws RuntimeError naming layer and pair where a value is not finite or does not fit the store's dtype.
 */
export function encodeShard(
  manifest: VectorStoreManifest,
  shard: ShardRows,
): { tensors: SafetensorsTensor[]; metadata: Record<string, string> } {
  const count = shard.ids.length;
  requireLength("rows", shard.rows.length, count);
  requireLength("tokens", shard.tokens.length, count * TOKEN_COLUMNS.length);
  const columns = manifest.pairs.columns.map((name) => {
    const values = shard.columns[name];
    requireLength(`column ${name}`, values?.length ?? 0, count);
    return [name, values] as const;
  });
  const tensors: SafetensorsTensor[] = [];
  for (const layer of manifest.layers) {
    const vectors = shard.layers.get(layer) ?? new Float32Array(0);
    requireLength(`layer ${layer}`, vectors.length, count * manifest.dim);
    const own = checkedNorms(manifest, shard.ids, layer, vectors);
    const norms = shard.norms?.get(layer) ?? own;
    requireLength(`norms of layer ${layer}`, norms.length, count);
    tensors.push(
      {
        name: layerTensor(layer),
        dtype: manifest.dtype,
        shape: [count, manifest.dim],
        bytes: bytesOf(manifest.dtype === "F16" ? float32ToFloat16(vectors) : vectors),
      },
      { name: normTensor(layer), dtype: "F32", shape: [count], bytes: bytesOf(norms) },
    );
  }
  tensors.push(
    { name: TOKENS_TENSOR, dtype: "I32", shape: [count, 3], bytes: bytesOf(shard.tokens) },
    { name: ROW_TENSOR, dtype: "I32", shape: [count], bytes: bytesOf(rowNumbers(shard.rows)) },
  );
  return {
    tensors,
    metadata: {
      ids: JSON.stringify(shard.ids),
      columns: JSON.stringify(Object.fromEntries(columns)),
    },
  };
}

function checkedNorms(
  { dim, dtype }: VectorStoreManifest,
  ids: readonly string[],
  layer: number,
  vectors: Float32Array,
): Float32Array {
  const limit = dtype === "F16" ? MAX_F16 : Number.MAX_VALUE;
  const norms = new Float32Array(ids.length);
  for (let row = 0; row < ids.length; row++) {
    let sum = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) {
      const value = vectors[i]!;
      // Written so that NaN fails too.
      if (!(Math.abs(value) <= limit)) throw unfit(layer, ids[row]!, value);
      sum += value * value;
    }
    norms[row] = Math.sqrt(sum);
  }
  return norms;
}

function unfit(layer: number, id: string, value: number): RuntimeError {
  const where = `layer ${layer}, pair "${id}"`;
  return Number.isFinite(value)
    ? new RuntimeError(`${where}: ${value} does not fit half precision (at most ${MAX_F16})`, {
        hint: "Use --dtype F32 and a new store.",
      })
    : new RuntimeError(`${where}: expected finite activations, got ${value}`, {
        hint: "Check the checkpoint's weights and this pair.",
      });
}

function rowNumbers(rows: ArrayLike<number>): Int32Array {
  const numbers = Int32Array.from(rows);
  const at = numbers.findIndex((number, i) => number !== rows[i] || number < 0);
  if (at !== -1) {
    throw new RuntimeError(`row number ${rows[at]} does not fit the store (at most 2^31 - 1)`);
  }
  return numbers;
}

function bytesOf(array: Float32Array | Uint16Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function requireLength(what: string, got: number, expected: number): void {
  if (got !== expected) {
    throw new Error(`internal: shard ${what}: expected ${expected} values, got ${got}`);
  }
}
