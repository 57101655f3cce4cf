import { expect } from "vitest";

/** How far `got` may be from `want`: |got − want| ≤ atol + rtol·|want| for every element. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/** Fails with the place, both numbers and the largest error where two lists of numbers are not close. */
export function expectAllClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { rtol = 0, atol = 0 }: Tolerance,
): void {
  expect(got.length, "number of elements").toBe(want.length);
  let worst = -1;
  let worstExcess = 0;
  let largestError = 0;
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!);
    largestError = Math.max(largestError, error);
    const excess = error - (atol + rtol * Math.abs(want[i]!));
    if (!(excess <= worstExcess)) {
      worst = i;
      worstExcess = excess;
    }
  }
  if (worst >= 0) {
    expect.fail(
      `element ${worst}: want ${want[worst]}, got ${got[worst]}; largest error ${largestError}, allowed rtol ${rtol}, atol ${atol}`,
    );
  }
}

/** ‖got − want‖ / ‖want‖, the relative error of a whole vector or matrix. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < want.length; i++) {
    difference += (got[i]! - want[i]!) ** 2;
    size += want[i]! ** 2;
  }
  if (difference === 0) return 0; // both may be zero
  return Math.sqrt(difference / size);
}
