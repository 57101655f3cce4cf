/** @file Whether weights will fit into memory, asked before any is read. */
import { freemem, totalmem } from "node:os";

import type { OnnxElementType, OnnxValue } from "../format/onnx.ts";
import { RuntimeError } from "../util/errors.ts";
import type { Precision } from "./precision.ts";

/** Of the element types that weights have. */
const BYTES: Partial<Readonly<Record<OnnxElementType, number>>> = { float32: 4, int8: 1, uint8: 1 };

const OTHER = "Ask for lower layers, close other programs, or take a smaller checkpoint.";
/** What to do, by how the weights are held. */
const HINTS: Readonly<Record<Precision, string>> = {
  F32: "culprit embed and culprit behavior take --precision INT8, which needs about a quarter, and INT4, a sixth; lower --layers need less too.",
  BF16: OTHER,
  INT8: "--precision INT4 needs about half of that; lower --layers need less too.",
  W8A8: "--precision INT4 needs about half of that; lower --layers need less too.",
  INT4: OTHER,
};

/** Bytes that weights take in memory. */
export function weightBytes(parameters: readonly OnnxValue[]): number {
  return parameters.reduce((sum, { elementType, shape }) => {
    const count = (shape as readonly number[]).reduce((product, size) => product * size, 1); // no named sizes
    return sum + count * (BYTES[elementType] ?? 4);
  }, 0);
}

/**
 * Throws RuntimeError where the weights alone take more memory than this process can still get. What fits may still be too much: the
 * arithmetic needs some hundred megabytes beside them.
 */
export function expectMemory(
  parameters: readonly OnnxValue[],
  { precision, weights }: { precision?: Precision | undefined; weights?: string | undefined },
  available: number = freeBytes(),
): void {
  const bytes = weightBytes(parameters) * (weights === "constant" ? 2 : 1);
  if (bytes <= available) return;
  throw new RuntimeError(
    `memory: the weights take ${gigabytes(bytes)} GB up to the highest layer asked for, ${gigabytes(available)} GB are free`,
    {
      hint: HINTS[precision ?? "F32"],
    },
  );
}

/** Of a number that is trained: itself, its gradient and both of Adam's moments, float32. */
const TRAINED_BYTES = 16;

/**
 * Throws RuntimeError where training takes more memory than this process can still get. `trained` numbers are trained beside `frozen`
 * ones. Activations come on top, by some hundred megabytes.
 */
export function expectTrainingMemory(
  { trained, frozen }: { readonly trained: number; readonly frozen: number },
  available: number = freeBytes(),
): void {
  const bytes = trained * TRAINED_BYTES + frozen * 4;
  if (bytes <= available) return;
  throw new RuntimeError(
    `memory: training takes ${gigabytes(bytes)} GB for weights, gradients and moments, ${gigabytes(available)} GB are free`,
    {
      hint:
        frozen === 0
          ? "LoRA (culprit train --lora) needs a quarter of it and little more; or close other programs, or take a smaller checkpoint."
          : "Close other programs, or take a smaller checkpoint.",
    },
  );
}

/**
 * Bytes that this process can still get. A container's limit counts, but not what the system keeps of files, which it gives up when asked: both
 * process.availableMemory() in a container and os.freemem() on macOS take that for used.
 */
export function freeBytes(): number {
  const limit = process.constrainedMemory();
  const most = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const left = most - process.memoryUsage.rss();
  return process.platform === "darwin" ? left : Math.min(left, freemem());
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
