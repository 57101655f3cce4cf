import { expect, it } from "vitest";

import { hardestControl, placeAmongRandom } from "./beside-controls.ts";
import type { ArmRate } from "./evaluation.ts";

/** An arm with its rate, and its difference from each control by name. */
const armOf = (arm: string, rate: number | undefined, toControls: Record<string, number> = {}) =>
  ({
    arm,
    rate: { rate },
    toControls: Object.entries(toControls).map(([against, difference]) => ({
      against,
      difference,
    })),
  }) as unknown as ArmRate; // what is read of it

it("compares with the control that left least, of its own alone", () => {
  const arm = armOf("filter", 0.1, { a: -0.3, b: -0.05, others: 0.2 });
  expect(hardestControl(arm, ["a", "b"])).toMatchObject({ against: "b" });
  expect(hardestControl(arm, [])).toBeUndefined();
});

it("places an arm among its random sets, equal rates against it", () => {
  const rates = [armOf("a", 0.3), armOf("b", 0.25), armOf("c", 0.4), armOf("other", 0)];
  const place = (rate: number | undefined, controls = ["a", "b", "c"]) =>
    placeAmongRandom(armOf("filter", rate), rates, controls);
  expect(place(0.1)).toEqual({ place: 1, of: 4 });
  expect(place(0.25)).toEqual({ place: 2, of: 4 });
  expect(place(0.9)).toEqual({ place: 4, of: 4 });
  expect([place(0.1, ["a"]), place(undefined)]).toEqual([undefined, undefined]);
});
