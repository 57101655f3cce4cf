import { expect, it } from "vitest";

import golden from "../../test/golden/principal-components/principal_components.json" with { type: "json" };
import { principalComponents } from "./principal-components.ts";

it.each(golden.cases)("finds those of scikit-learn: $name", ({ width, rows, ...wanted }) => {
  const found = principalComponents({ count: rows.length / width, width, values: rows }, 2);
  for (const [i, coordinates] of wanted.coordinates.entries()) {
    const far = coordinates.map((each, row) => Math.abs(each - found.coordinates[i]![row]!));
    expect(Math.max(...far)).toBeLessThan(1e-6);
    expect(Math.abs(found.shares[i]! - wanted.shares[i]!)).toBeLessThan(1e-10);
  }
});

it("gives rows on a line and rows that are all the same a place", () => {
  const { coordinates, shares } = principalComponents(
    { count: 3, width: 2, values: [0, 0, 2, 0, 4, 0] },
    2,
  );
  expect([...coordinates[0]!].map((each) => each.toFixed(6))).toEqual([
    "-2.000000",
    "0.000000",
    "2.000000",
  ]);
  expect(shares[0]).toBeCloseTo(1, 12);
  const same = principalComponents({ count: 2, width: 2, values: [1, 2, 1, 2] }, 2);
  expect([...same.coordinates[0]!, ...same.shares]).toEqual([0, 0, 0, 0]);
});
