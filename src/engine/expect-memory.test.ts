import { expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { RuntimeError } from "../util/errors.ts";
import { expectMemory, expectTrainingMemory, weightBytes } from "./expect-memory.ts";

const full = { name: "a.T", elementType: "float32", shape: [1000, 3000] } as const;
const int8 = [
  { name: "a.int8", elementType: "int8", shape: [3000, 1000] },
  { name: "a.int8.scales", elementType: "float32", shape: [3000, 32] },
] as const;

it("counts the bytes that weights are held in", () => {
  expect(weightBytes([full])).toBe(12_000_000);
  expect(weightBytes(int8)).toBe(3_000_000 + 384_000);
});

it("refuses with the numbers, before anything is read, what is larger than what is free", async () => {
  expect(() => expectMemory([full], {}, 12_000_000)).not.toThrow();
  const refuse = async (): Promise<void> => expectMemory([full], {}, 11_999_999);
  const error = await expectFailure(refuse(), RuntimeError);
  expect(error.message).toMatch(/weights take 0\.0 GB .* 0\.0 GB are free/);
  expect(error.hint).toContain("--precision INT8");
  // Of this machine, which has as much.
  expect(() => expectMemory([full], {})).not.toThrow();
  // Constants are a second copy.
  expect(() => expectMemory([full], { weights: "constant" }, 12_000_000)).toThrow(RuntimeError);
  expect(() => expectMemory(int8, { precision: "INT8" }, 3_384_000)).not.toThrow();
});

it("refuses training with the numbers: sixteen bytes for each number trained, four for each other one", async () => {
  expect(() => expectTrainingMemory({ trained: 1e9, frozen: 0 }, 16e9)).not.toThrow();
  const refuse = async (): Promise<void> => expectTrainingMemory({ trained: 1e9, frozen: 0 }, 15e9);
  const error = await expectFailure(refuse(), RuntimeError);
  expect(error.message).toMatch(/training takes 16\.0 GB .* 15\.0 GB are free/);
  expect(error.hint).toContain("--lora");
  expect(() => expectTrainingMemory({ trained: 1e6, frozen: 1e9 }, 4.1e9)).not.toThrow();
  expect(() => expectTrainingMemory({ trained: 1e6, frozen: 1e9 }, 4e9)).toThrow(
    /training takes 4\.0 GB/,
  );
});
