import { expect } from "vitest";

import type { CulpritError } from "../../src/util/errors.ts";

/** Expects a failure of exactly this class, and gives it back for a look at its message and hint. */
export async function expectFailure<E extends CulpritError>(
  work: Promise<unknown> | (() => unknown),
  kind: new (...args: never[]) => E,
): Promise<E> {
  let error: unknown;
  try {
    await (typeof work === "function" ? work() : work);
  } catch (thrown) {
    error = thrown;
  }
  expect(error, "expected a failure").toBeInstanceOf(kind);
  expect((error as Error).constructor, "the class itself").toBe(kind);
  return error as E; // just checked
}
