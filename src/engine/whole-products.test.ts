import { expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { UnsupportedError } from "../util/errors.ts";
import { expectExactProducts } from "./whole-products.ts";

it("multiplies the largest numbers exactly here, and refuses a processor that does not", async () => {
  await expectExactProducts();
  // What additions in 16 bits give: 32 pairs of 255 · 127 cut off at 32,767, in steps of 1/255.
  const cut = async (): Promise<Float32Array> => new Float32Array(64).fill((32 * 32_767) / 255);
  const error = await expectFailure(expectExactProducts(cut), UnsupportedError);
  expect(error.message).toContain("a product that is 8128");
  expect(error.hint).toContain("INT8");
});
