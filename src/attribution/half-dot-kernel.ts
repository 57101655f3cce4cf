import { createWasmMemory, instantiate } from "../util/wasm-memory.ts";
import { blockRows, BUFFERS, type BlockKernel, type KernelOptions } from "./block-kernel.ts";
import { DOT_ROWS, HALF_DOT_STEP, halfDotVector } from "./half-dot-wasm.ts";

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
  const memory = createWasmMemory(buffersAt + BUFFERS * bufferBytes);
  const dotRows = instantiate([DOT_ROWS], memory)["dotRows"] as DotRows; // as the routine is declared
  new Float32Array(memory.buffer, vectorAt, dim).set(halfDotVector(column));
  const products = new Float32Array(memory.buffer, outAt, rows);
  return {
    buffers: Array.from(
      { length: BUFFERS },
      (_, i) => new Uint8Array(memory.buffer, buffersAt + i * bufferBytes, bufferBytes),
    ),
    multiply: (buffer, count) => {
      dotRows(buffersAt + buffer * bufferBytes, vectorAt, dim * 2, count, outAt);
      return Promise.resolve({ products, stride: 1 });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

type DotRows = (
  halves: number,
  vector: number,
  rowBytes: number,
  rows: number,
  out: number,
) => void;
