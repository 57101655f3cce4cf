/** @file The names inside a store's folder and inside its shards, and the shape that each shard must have. R rows, D dim. */
import { FormatError } from "../util/errors.ts";
import type { StoreDtype, VectorStoreManifest } from "./vector-store-manifest.ts";

/** Columns of the `tokens` tensor. */
export const TOKEN_COLUMNS = ["prompt", "chosen", "rejected"] as const;

/** The vectors of a layer, [R, D]. */
export const layerTensor = (layer: number): string => `layer.${layer}`;
/** Euclidean lengths of the vectors of a layer before they were rounded to the store's dtype, F32 [R]. */
export const normTensor = (layer: number): string => `norm.${layer}`;
/** Token counts, I32 [R, 3]. */
export const TOKENS_TENSOR = "tokens";
/** Row numbers in the pair files, I32 [R]. */
export const ROW_TENSOR = "row";

/** In the folder of a store that was refined: the exact vectors, a store for each round. */
export const EXACT_ROUNDS = "exact-rounds";

export function shardName(index: number): string {
  return `shard-${String(index).padStart(5, "0")}.safetensors`;
}

/** The number of a shard from its file name, or undefined for any other file. */
export function shardIndex(fileName: string): number | undefined {
  const digits = /^shard-(\d{5,})\.safetensors$/.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function bytesPerElement(dtype: StoreDtype): number {
  return dtype === "F16" ? 2 : 4;
}

/** What the header of a safetensors file says of a tensor. */
export interface TensorHeader {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Absolute position in the file. */
  readonly byteOffset: number;
}

/**
 * The number of rows of a shard whose tensors are all there with the dtypes and shapes that the manifest asks for.
 * Throws FormatError naming file and tensor.
 */
export function checkShardTensors(
  path: string,
  tensors: ReadonlyMap<string, TensorHeader>,
  manifest: VectorStoreManifest,
): number {
  const rows = tensors.get(ROW_TENSOR)?.shape[0];
  if (rows === undefined || rows < 1 || rows > manifest.shardRows) {
    throw damaged(path, `expected 1 to ${manifest.shardRows} rows, got ${rows ?? "none"}`);
  }
  const expected: [name: string, dtype: string, shape: number[]][] = [
    [ROW_TENSOR, "I32", [rows]],
    [TOKENS_TENSOR, "I32", [rows, TOKEN_COLUMNS.length]],
    ...manifest.layers.flatMap((layer): [string, string, number[]][] => [
      [layerTensor(layer), manifest.dtype, [rows, manifest.dim]],
      [normTensor(layer), "F32", [rows]],
    ]),
  ];
  for (const [name, dtype, shape] of expected) {
    const found = tensors.get(name);
    const wanted = `${dtype} [${shape.join(", ")}]`;
    const got = found === undefined ? "nothing" : `${found.dtype} [${found.shape.join(", ")}]`;
    if (got !== wanted) {
      throw damaged(path, `tensor "${name}": expected ${wanted}, got ${got}`);
    }
  }
  return rows;
}

/** The error of a shard that is not what the manifest promises. */
export function damaged(path: string, what: string, cause?: unknown): FormatError {
  return new FormatError(`${path}: ${what}`, {
    hint: "Delete this shard if it is there, then run the same culprit embed command again: it makes only what is missing.",
    cause,
  });
}
