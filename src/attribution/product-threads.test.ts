import { truncate } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { smallManifest, writeSmallStore } from "../../test/support/small-store.ts";
import { openStore, type VectorStore } from "../store/open-store.ts";
import type { StoreDtype } from "../store/vector-store-manifest.ts";
import { FormatError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import type { KernelOptions, ProductBlock } from "./block-kernel.ts";
import { streamOnThreads, threadsFor } from "./product-threads.ts";
import { streamProducts } from "./stream-products.ts";

const LAYER = 1;
const DIM = 4096;
/** Two shards, of which the first has two blocks and the second a part of one; a block takes several parts. */
const ROWS = 1300;

async function storeOf(dtype: StoreDtype): Promise<VectorStore> {
  const folder = await temporaryFolder();
  const manifest = smallManifest({ dim: DIM, dtype, layers: [LAYER], shardRows: 900 });
  const rng = createRng(2);
  const pool = Float32Array.from({ length: 9973 }, () => rng.normal());
  await writeSmallStore(folder, manifest, ROWS, (_, row, i) => pool[(row * 31 + i * 7) % 9973]!);
  return openStore(folder);
}

function columnsOf(count: number): Float32Array[] {
  const rng = createRng(3);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: DIM }, () => rng.normal()),
  );
}

/** The products [N, K] and squares [N] of all blocks, which must come in store order. */
async function collect(
  blocks: AsyncIterable<ProductBlock>,
  count: number,
): Promise<{ products: Float32Array; squares: Float32Array }> {
  const products = new Float32Array(ROWS * count);
  const squares = new Float32Array(ROWS);
  let next = 0;
  for await (const { firstRow, rows, products: found, squares: lengths, stride } of blocks) {
    expect(firstRow).toBe(next);
    next += rows;
    for (let row = 0; row < rows; row++) {
      const of = found.subarray(row * stride, row * stride + count);
      products.set(of, (firstRow + row) * count);
    }
    if (lengths !== undefined) squares.set(lengths.subarray(0, rows), firstRow);
  }
  expect(next).toBe(ROWS);
  return { products, squares };
}

describe("streamOnThreads", () => {
  it.each([
    { dtype: "F16", count: 1, isCentred: false },
    { dtype: "F16", count: 65, isCentred: false },
    { dtype: "F16", count: 3, isCentred: true },
    { dtype: "F32", count: 20, isCentred: false },
  ] as const)(
    "gives the same bits for every number of threads ($dtype, $count columns, centred $isCentred)",
    async ({ dtype, count, isCentred }) => {
      const store = await storeOf(dtype);
      const columns = columnsOf(count);
      const mean = isCentred ? columnsOf(1)[0] : undefined;
      const job = { layer: LAYER, columns, mean };
      // Too small a store for threads.
      const alone = await collect(streamProducts(store, job), count);
      for (const threads of [1, 2, 3]) {
        const options = { ...job, dtype, dim: DIM, threads };
        expect(await collect(streamOnThreads(store, options), count)).toEqual(alone);
      }
    },
  );

  it("says which file ends too early", async () => {
    const store = await storeOf("F16");
    await truncate(store.shards[1]!.path, 100_000);
    const options = {
      layer: LAYER,
      columns: columnsOf(2),
      dtype: "F16",
      dim: DIM,
      threads: 2,
    } as const;
    const reading = collect(streamOnThreads(store, options), 2);
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(store.shards[1]!.path);
  });

  it("ends its threads where the caller stops early", async () => {
    const store = await storeOf("F16");
    const options = {
      layer: LAYER,
      columns: columnsOf(1),
      dtype: "F16",
      dim: DIM,
      threads: 2,
    } as const;
    for await (const { rows } of streamOnThreads(store, options)) {
      expect(rows).toBe(512);
      break;
    }
  });
});

describe("threadsFor", () => {
  const options = (rows: number, count: number): KernelOptions & { rows: number } => ({
    dtype: "F16",
    dim: DIM,
    columns: columnsOf(1).flatMap((column) => Array<Float32Array>(count).fill(column)),
    rows,
    threads: 4,
  });

  it("starts none for small stores, nor for columns that would not fit beside each other", () => {
    expect(threadsFor(options(5000, 1))).toBe(1);
    expect(threadsFor(options(5000, 65))).toBe(1);
    expect(threadsFor(options(378_339, 1))).toBe(4);
    expect(threadsFor(options(378_339, 65))).toBe(4);
    expect(threadsFor(options(378_339, 257))).toBe(1);
    expect(threadsFor({ ...options(378_339, 65), threads: 1 })).toBe(1);
  });
});
