/** @file Products of stored vectors on several threads, each of which reads its own blocks. R rows of a block, D dimensions, K columns. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

import { ortLibrary } from "../runtime/ort.ts";
import type { VectorStore } from "../store/open-store.ts";
import { bytesPerElement } from "../store/shard-layout.ts";
import { type PlannedBlock, planBlocks } from "../store/stream-blocks.ts";
import { FormatError, RuntimeError } from "../util/errors.ts";
import { wasmModule } from "../util/wasm-code.ts";
import { PAGE_BYTES } from "../util/wasm-memory.ts";
import {
  blockRows,
  type KernelOptions,
  MAX_CONSTANT_COLUMNS,
  type ProductBlock,
  productModel,
} from "./block-kernel.ts";
import { canUseHalfDot, DOT_ROWS, halfDotLayout, halfDotVector } from "./half-dot-wasm.ts";
import { PRODUCT_THREAD } from "./product-thread-code.ts";

/** What starting threads costs is earned back above so many bytes to read, or so many multiplications and additions. */
const MIN_BYTES = 2 ** 28;
const MIN_OPERATIONS = 2e10;
/** More would wait for memory, and each takes some 30 MB. */
const MAX_THREADS = 16;
/** Vectors that are read and multiplied at once: they stay in the cache of the thread's core. */
const PART_BYTES = 2 ** 19;

interface ThreadedOptions extends KernelOptions {
  readonly layer: number;
  /** Threads to start, at least 1. */
  readonly threads: number;
}

/** How many threads a pass over `rows` vectors is worth; 1 where the caller's own does as well. */
export function threadsFor({
  dtype,
  dim,
  columns,
  rows,
  threads = availableParallelism(),
}: KernelOptions & { readonly rows: number }): number {
  const isWorth =
    rows * dim * bytesPerElement(dtype) >= MIN_BYTES ||
    2 * rows * dim * columns.length >= MIN_OPERATIONS;
  return isWorth && columns.length <= MAX_CONSTANT_COLUMNS ? Math.min(threads, MAX_THREADS) : 1;
}

/**
 * The inner products of every stored vector of a layer with K columns, block by block in store order. A block is valid until the next one
 * is asked for. Which thread took a block does not show: every row is multiplied on one thread, in the same way.
 */
export async function* streamOnThreads(
  store: VectorStore,
  { layer, threads, ...options }: ThreadedOptions,
): AsyncGenerator<ProductBlock, void, void> {
  const { dtype, dim, mean } = options;
  const rowBytes = dim * bytesPerElement(dtype);
  const partRows = Math.max(1, Math.floor(PART_BYTES / rowBytes));
  const { kernel, stride } = kernelFor(options, partRows);
  const rows = blockRows(options, stride);
  // Two blocks for each thread, so that none waits for its next, and the one in use.
  const slots = Array.from({ length: 2 * threads + 1 }, () => ({
    products: new Float32Array(new SharedArrayBuffer(rows * stride * 4)),
    squares: mean === undefined ? undefined : new Float32Array(new SharedArrayBuffer(rows * 4)),
  }));
  await using pool = startThreads(threads, { kernel, rowBytes, partRows, stride, slots });
  const plan = planBlocks(store, layer, rows);
  const pending: { block: PlannedBlock; slot: number; done: Promise<void> }[] = [];
  let issued = 0;
  const issue = (): void => {
    const next = plan.next();
    if (next.done === true) return;
    const slot = issued++ % slots.length;
    const done = pool.run(next.value, slot);
    // Awaited in order below; until then a failure must not count as unhandled.
    done.catch(() => {});
    pending.push({ block: next.value, slot, done });
  };
  for (let i = 0; i < slots.length - 1; i++) issue();
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    await next.done;
    issue();
    const { firstRow, rows: count } = next.block;
    yield { ...slots[next.slot]!, stride, firstRow, rows: count };
  }
}

/** What a thread multiplies with, as PRODUCT_THREAD takes it. */
function kernelFor(
  options: KernelOptions,
  partRows: number,
): { readonly kernel: unknown; readonly stride: number } {
  const { dtype, dim, columns } = options;
  if (canUseHalfDot(options)) {
    const { vectorAt, outAt, buffersAt, totalBytes } = halfDotLayout(dim, partRows, 1);
    const kernel = {
      kind: "halfDot",
      code: wasmModule([DOT_ROWS]),
      vector: halfDotVector(columns[0]!),
      pages: Math.ceil(totalBytes / PAGE_BYTES),
      vectorAt,
      outAt,
      partAt: buffersAt,
    };
    return { kernel, stride: 1 };
  }
  const { graph, stride } = productModel(options);
  const kernel = {
    kind: "graph",
    library: ortLibrary(),
    model: graph.bytes,
    isHalf: dtype === "F16",
  };
  return { kernel, stride };
}

interface ProductThreads extends AsyncDisposable {
  /** Multiplies a block on the thread with the least to do and writes its products to a slot. Throws FormatError where the file ends before the block does. */
  run(block: PlannedBlock, slot: number): Promise<void>;
}

/** What a thread answers. */
interface Answer {
  readonly task: number;
  readonly error?: { readonly message: string; readonly endedAt?: number | undefined } | undefined;
}

interface Waiting {
  readonly path: string;
  resolve(): void;
  reject(error: unknown): void;
}

function startThreads(count: number, workerData: unknown): ProductThreads {
  const threads = Array.from({ length: count }, () => startThread(workerData));
  return {
    run(block, slot) {
      const free = threads.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
      return free.run(block, slot);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(workerData: unknown): {
  readonly worker: Worker;
  readonly waiting: ReadonlyMap<number, Waiting>;
  run(block: PlannedBlock, slot: number): Promise<void>;
} {
  const worker = new Worker(PRODUCT_THREAD, { eval: true, execArgv: [], workerData });
  const waiting = new Map<number, Waiting>();
  let tasks = 0;
  worker.on("message", ({ task, error }: Answer) => {
    const found = waiting.get(task)!; // it answers once what it was sent
    waiting.delete(task);
    if (error === undefined) found.resolve();
    else found.reject(describeFailure(found.path, error));
  });
  worker.on("error", (cause) => {
    for (const each of waiting.values()) {
      each.reject(new RuntimeError("a thread of the arithmetic failed", { cause }));
    }
    waiting.clear();
  });
  return {
    worker,
    waiting,
    run: ({ path, position, rows }, slot) =>
      new Promise((resolve, reject) => {
        const task = tasks++;
        waiting.set(task, { path, resolve, reject });
        worker.postMessage({ task, path, position, rows, slot }, []);
      }),
  };
}

function describeFailure(path: string, { message, endedAt }: NonNullable<Answer["error"]>): Error {
  return endedAt === undefined
    ? new RuntimeError(message)
    : new FormatError(`${path}: ended at byte ${endedAt} while being read`, {
        hint: "Check that nothing else writes to the file, then run again.",
      });
}
