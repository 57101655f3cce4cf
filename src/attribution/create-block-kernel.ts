import type { BlockKernel, KernelOptions } from "./block-kernel.ts";
import { createGraphKernel } from "./graph-kernel.ts";
import { canUseHalfDot, createHalfDotKernel } from "./half-dot-kernel.ts";

/** The fastest kernel for the job: a WebAssembly routine for one half-precision column, else ONNX Runtime. */
export async function createBlockKernel(options: KernelOptions): Promise<BlockKernel> {
  return canUseHalfDot(options) ? createHalfDotKernel(options) : createGraphKernel(options);
}
