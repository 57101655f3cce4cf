import type { AdjustedComparison, ArmRate } from "./evaluation.ts";

/**
 * The comparison of an arm with its control that left least of the behaviour: what it must pass to be more than chance. Of one control
 * that one; undefined where it is compared with none of them.
 */
export function hardestControl(
  arm: ArmRate,
  controls: readonly string[],
): AdjustedComparison | undefined {
  return arm.toControls
    .filter(({ against }) => controls.includes(against))
    .toSorted((a, b) => b.difference - a.difference)[0];
}

/** Where an arm stands among its random sets. */
export interface PlaceAmongRandom {
  /** 1 where every random set leaves more of the behaviour; equal rates count against the arm. */
  readonly place: number;
  /** The arm and its random sets. */
  readonly of: number;
}

/**
 * The place of an arm's rate among those of its random sets, as a permutation test counts it: were the arm one more random set, it would
 * be first in one of `of` cases. Undefined below two sets, of which the place says next to nothing.
 *
 * A rate of 0.10 beside random sets of 0.30, 0.25 and 0.40 is place 1 of 4.
 */
export function placeAmongRandom(
  arm: ArmRate,
  rates: readonly ArmRate[],
  controls: readonly string[],
): PlaceAmongRandom | undefined {
  const { rate } = arm.rate;
  const random = rates.flatMap((each) =>
    controls.includes(each.arm) && each.rate.rate !== undefined ? [each.rate.rate] : [],
  );
  if (rate === undefined || random.length < 2) return undefined;
  return { place: 1 + random.filter((each) => each <= rate).length, of: 1 + random.length };
}
