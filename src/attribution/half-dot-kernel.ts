import { blockRows, BUFFERS, type BlockKernel, type KernelOptions } from "./block-kernel.ts";
import { HALF_DOT_STEP, halfDotModule, halfDotVector } from "./half-dot-wasm.ts";

const PAGE_BYTES = 65_536;
/** Past the first numbers of memory, so that no address is 0. */
const FIRST_BYTE = 64;

/** True for one column of half precision whose length suits the routine. */
export function canUseHalfDot({ dtype, dim, columns, mean }: KernelOptions): boolean {
  return dtype === "F16" && columns.length === 1 && mean === undefined && dim % HALF_DOT_STEP === 0;
}

/** One column times half-precision rows in WebAssembly; the blocks are read straight into its memory. */
export function createHalfDotKernel(options: KernelOptions): BlockKernel {
  const { dim, columns } = options;
  const [column] = columns;
  if (column === undefined || !canUseHalfDot(options)) throw new Error("internal: half-dot kernel");
  const rows = blockRows(options, 1);
  const vectorAt = FIRST_BYTE;
  const outAt = vectorAt + dim * 4;
  const buffersAt = Math.ceil((outAt + rows * 4) / 64) * 64;
  const bufferBytes = rows * dim * 2;
  const pages = Math.ceil((buffersAt + BUFFERS * bufferBytes) / PAGE_BYTES);
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
  const module = new webAssembly.Module(halfDotModule());
  const instance = new webAssembly.Instance(module, { env: { memory } });
  const dotRows = instance.exports["dotRows"] as DotRows; // our own module exports it
  new Float32Array(memory.buffer, vectorAt, dim).set(halfDotVector(column));
  const products = new Float32Array(memory.buffer, outAt, rows);
  return {
    buffers: Array.from(
      { length: BUFFERS },
      (_, i) => new Uint8Array(memory.buffer, buffersAt + i * bufferBytes, bufferBytes),
    ),
    multiply: (buffer, count) => {
      dotRows(buffersAt + buffer * bufferBytes, vectorAt, dim * 2, count, outAt);
      return Promise.resolve({ products, stride: 1, squares: undefined });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

// Node has it, but its type declarations stand in TypeScript's DOM library, which a Node project does not load.
const { WebAssembly: webAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
    readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
    readonly Instance: new (
      module: object,
      imports: object,
    ) => { readonly exports: Readonly<Record<string, unknown>> };
  };
};

type DotRows = (
  halves: number,
  vector: number,
  rowBytes: number,
  rows: number,
  out: number,
) => void;
