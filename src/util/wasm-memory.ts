import { wasmModule, type WasmFunction } from "./wasm-code.ts";

/** Memory is given in whole pages. */
export const PAGE_BYTES = 65_536;

/** Memory that hand-written routines and typed arrays share. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Memory of at least `bytes`, at most 4 GiB, that never moves. Throws RangeError where the machine has not that much. */
export function createWasmMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new webAssembly.Memory({ initial: pages, maximum: pages });
}

/** The functions, by name, working on one memory. */
export function instantiate(
  functions: readonly WasmFunction[],
  memory: WasmMemory,
): Readonly<Record<string, unknown>> {
  const module = new webAssembly.Module(wasmModule(functions));
  return new webAssembly.Instance(module, { env: { memory } }).exports;
}

// Node has it, but its type declarations stand in TypeScript's DOM library, which a Node project does not load.
const { WebAssembly: webAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
    readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
    readonly Instance: new (
      module: object,
      imports: object,
    ) => { readonly exports: Readonly<Record<string, unknown>> };
  };
};
