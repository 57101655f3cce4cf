/** @file Whether this processor multiplies whole numbers of 8 bits as it should. */
import { compile } from "../runtime/ort.ts";
import { input } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { wholeProduct } from "../tensor/ops/whole-product.ts";
import { UnsupportedError } from "../util/errors.ts";

/** Numbers of a row, and columns: enough for the kernels that large products take. */
const SIZE = 64;
const LARGEST = 127;

/** The product of a row of ones with a matrix of 127s, by the kernel that embeds: `SIZE` numbers. */
async function largestProduct(): Promise<Float32Array> {
  const shape = [SIZE, SIZE] as const;
  const x = input("x", "float32", [1, SIZE]);
  const product = wholeProduct(
    x,
    input("values", "int8", shape),
    input("scales", "float32", [SIZE]),
  );
  await using program = await compile(lowerToOnnx({ product }), { threads: 1 });
  const ones = new Float32Array(SIZE).fill(1);
  const { product: found } = await program.run({
    x: { dtype: "float32", shape: [1, SIZE], array: ones },
    values: { dtype: "int8", shape, array: new Int8Array(SIZE * SIZE).fill(LARGEST) },
    scales: { dtype: "float32", shape: [SIZE], array: ones },
  });
  return found!.array as Float32Array; // float32 by its declaration
}

/**
 * Throws UnsupportedError where the largest products come out wrong. A sum of two products of 8 bits may need 17; x86 processors
 * without VNNI add them in 16 and cut off what does not fit, so large activations would be wrong without a word.
 */
export async function expectExactProducts(
  product: () => Promise<Float32Array> = largestProduct,
): Promise<void> {
  const exact = SIZE * LARGEST;
  const found = await product();
  if (found.every((value) => Math.abs(value / exact - 1) < 1e-4)) return;
  throw new UnsupportedError(
    `precision W8A8: this processor gets ${found[0]} for a product that is ${exact}, since it adds products of 8 bits in 16`,
    { hint: "Leave --precision out, or take INT8, whose products are of float32." },
  );
}
