/** @file Which pairs and which scenarios of the behaviour lie nearest to a pair, by the cosine of their vectors at the ranking's layer. */
import { join } from "node:path";

import { BEHAVIOR_FILE } from "../behavior/behavior-file.ts";
import { VECTORS, type VectorStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import { streamBlocks } from "../store/stream-blocks.ts";
import { float16ToFloat32 } from "../util/float16.ts";
import { dot, norm } from "../util/vector.ts";
import type { Near } from "./report-source.ts";
import type { RunFolder } from "./run-folder.ts";

/** Nearest ones to name. */
const NAMED = 5;
/** Bytes of one block of vectors that is read at once. */
const BLOCK_BYTES = 8 << 20;

/** What lies near a pair. */
export interface Neighbors {
  readonly nearestPairs: readonly Near[];
  readonly nearestScenarios: readonly Near[];
}

/** The neighbours of each of `ids` among one another, and among the behaviour's scenarios; empty where the run has no vectors. */
export async function findNeighbors(
  run: RunFolder,
  layer: number | undefined,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Neighbors>> {
  const [embedded, behaved] = [run.stage("embed"), run.stage("behavior")];
  if (embedded === undefined || behaved === undefined || layer === undefined) return new Map();
  const store = await VECTORS.read(join(embedded, VECTORS.name));
  const { bank, scenarioIds } = await BEHAVIOR_FILE.read(join(behaved, BEHAVIOR_FILE.name));
  const vectors = await readUnitVectors(store, layer, new Set(ids));
  const scenarios = splitRows(bank.get(layer)!, store.manifest.dim).map(
    (vector, i) => [scenarioIds[i]!, toUnit(vector)] as const,
  );
  return new Map(
    [...vectors].map(([id, vector]) => [
      id,
      {
        nearestPairs: nearest(
          vector,
          [...vectors].filter(([other]) => other !== id),
        ),
        nearestScenarios: nearest(vector, scenarios),
      },
    ]),
  );
}

/** The nearest of unit vectors to a unit vector, best first. */
export function nearest(
  vector: Float32Array,
  others: readonly (readonly [id: string, vector: Float32Array])[],
): Near[] {
  const cosines = others.map(([id, other]) => ({ id, cosine: dot(vector, other) }));
  return cosines
    .toSorted((a, b) => b.cosine - a.cosine)
    .slice(0, NAMED)
    .map(({ id, cosine }) => ({ id, cosine: Number(cosine.toFixed(4)) }));
}

/** The datapoint vectors of some pairs, each of length 1 (or 0), [D]. */
async function readUnitVectors(
  store: VectorStore,
  layer: number,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { ids } = await readStoreTable(store);
  const { dim, dtype } = store.manifest;
  const rowBytes = dim * (dtype === "F16" ? 2 : 4);
  const size = Math.max(rowBytes, BLOCK_BYTES - (BLOCK_BYTES % rowBytes));
  const buffers = [new Uint8Array(size), new Uint8Array(size)];
  const found = new Map<string, Float32Array>();
  for await (const { buffer, firstRow, rows } of streamBlocks(store, layer, buffers)) {
    for (let row = 0; row < rows; row++) {
      const id = ids[firstRow + row]!;
      if (!wanted.has(id)) continue;
      const bytes = buffers[buffer]!.slice(row * rowBytes, (row + 1) * rowBytes);
      const values =
        dtype === "F16"
          ? float16ToFloat32(new Uint16Array(bytes.buffer))
          : new Float32Array(bytes.buffer);
      found.set(id, toUnit(values));
    }
  }
  return found;
}

/** The rows of a matrix [N, D]. */
export function splitRows(matrix: Float32Array, dim: number): Float32Array[] {
  return Array.from({ length: matrix.length / dim }, (_, row) =>
    matrix.subarray(row * dim, (row + 1) * dim),
  );
}

/** A vector of the same direction and of length 1; of length 0 as it is. */
export function toUnit(vector: Float32Array): Float32Array {
  const length = norm(vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
