import { describe, expect, it } from "vitest";

import { float16ToFloat32, float32ToFloat16 } from "../util/float16.ts";
import { createRng } from "../util/rng.ts";
import { dot, norm } from "../util/vector.ts";
import {
  type BlockKernel,
  blockRows,
  createGraphKernel,
  type KernelOptions,
} from "./block-kernel.ts";
import { canUseHalfDot, createHalfDotKernel } from "./half-dot-wasm.ts";

const rng = createRng(3);
const normals = (length: number, scale = 1): Float32Array =>
  Float32Array.from({ length }, () => rng.normal() * scale);

/** Writes half-precision rows into a buffer of the kernel and multiplies them. */
async function multiplyHalves(
  kernel: BlockKernel,
  halves: Uint16Array,
  options: { rows: number; buffer: number },
): Promise<number[]> {
  kernel.buffers[options.buffer]!.set(new Uint8Array(halves.buffer));
  const { products, stride } = await kernel.multiply(options.buffer, options.rows);
  return Array.from({ length: options.rows }, (_, row) => products[row * stride]!);
}

const KERNELS: Record<string, (options: KernelOptions) => BlockKernel | Promise<BlockKernel>> = {
  "the WebAssembly routine": createHalfDotKernel,
  "ONNX Runtime": createGraphKernel,
};

describe.each(Object.entries(KERNELS))("one half-precision column in %s", (_, create) => {
  it.each([32, 96, 4096])("agrees with double precision at %i dimensions", async (dim) => {
    const [rows, column] = [7, normals(dim, 1 / Math.sqrt(dim))];
    const halves = float32ToFloat16(normals(rows * dim, 3));
    await using kernel = await create({ dtype: "F16", dim, columns: [column] });
    const products = await multiplyHalves(kernel, halves, { rows, buffer: 2 });
    const values = float16ToFloat32(halves);
    for (let row = 0; row < rows; row++) {
      const vector = values.subarray(row * dim, (row + 1) * dim);
      const exact = dot(vector, column);
      // Single-precision sums err by some units of 2^-24 times the lengths; the column's is about 1.
      expect(Math.abs(products[row]! - exact)).toBeLessThan(1e-7 * norm(vector));
    }
  });

  it("is exact for single halves of every size: subnormal, negative, largest, zero", async () => {
    const halves = new Uint16Array(32 * 5);
    const patterns = [0x0001, 0x83ff, 0x7bff, 0x8000, 0xbc00];
    for (const [row, pattern] of patterns.entries()) halves[row * 32 + row * 6] = pattern;
    const columns = [new Float32Array(32).fill(1)];
    await using kernel = await create({ dtype: "F16", dim: 32, columns });
    const products = await multiplyHalves(kernel, halves, { rows: 5, buffer: 0 });
    expect(products.map((value) => value + 0)).toEqual([2 ** -24, -1023 * 2 ** -24, 65504, 0, -1]);
  });
});

describe("a half-precision row that is not finite", () => {
  it.each([0x7c00, 0xfc00, 0x7c01, 0xffff])(
    "gives NaN for the half %i and only for its row",
    async (half) => {
      await using kernel = createHalfDotKernel({
        dtype: "F16",
        dim: 64,
        columns: [new Float32Array(64).fill(1)],
      });
      const halves = new Uint16Array(3 * 64).fill(0x3c00);
      halves[64 + 45] = half;
      halves[2 * 64 + 7] = 0xfbff;
      const products = await multiplyHalves(kernel, halves, { rows: 3, buffer: 0 });
      expect(products).toEqual([64, Number.NaN, 63 - 65504]);
    },
  );
});

describe("canUseHalfDot", () => {
  const options: KernelOptions = { dtype: "F16", dim: 64, columns: [new Float32Array(64)] };

  it("leaves to ONNX Runtime what the routine cannot do", () => {
    expect(canUseHalfDot(options)).toBe(true);
    expect(canUseHalfDot({ ...options, dim: 65 })).toBe(false);
    expect(canUseHalfDot({ ...options, dtype: "F32" })).toBe(false);
    expect(canUseHalfDot({ ...options, mean: new Float32Array(64) })).toBe(false);
    expect(canUseHalfDot({ ...options, columns: [...options.columns, ...options.columns] })).toBe(
      false,
    );
  });
});

describe("createGraphKernel", () => {
  it("multiplies many single-precision columns with the mean taken out", async () => {
    const [dim, rows] = [10, 4];
    const columns = Array.from({ length: 19 }, () => normals(dim));
    const [mean, vectors] = [normals(dim), normals(rows * dim)];
    await using kernel = await createGraphKernel({ dtype: "F32", dim, columns, mean });
    kernel.buffers[1]!.set(new Uint8Array(vectors.buffer));
    const { products, squares, stride } = await kernel.multiply(1, rows);
    for (let row = 0; row < rows; row++) {
      const centred = Float64Array.from(mean, (m, i) => vectors[row * dim + i]! - m);
      expect(Math.abs(squares![row]! - dot(centred, centred))).toBeLessThan(1e-5);
      for (const [k, column] of columns.entries()) {
        expect(Math.abs(products[row * stride + k]! - dot(centred, column))).toBeLessThan(1e-5);
      }
    }
  });
});

describe("blockRows", () => {
  it("keeps blocks small whatever the dimension and the number of columns", () => {
    const options = (dim: number): KernelOptions => ({ dtype: "F16", dim, columns: [] });
    expect(blockRows(options(4096), 16)).toBe(512);
    expect(blockRows(options(4096), 65_536)).toBe(64);
    expect(blockRows(options(2 ** 24), 16)).toBe(1);
  });
});
