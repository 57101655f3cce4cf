import { expect, it } from "vitest";

import golden from "../../test/golden/proportions/proportions.json" with { type: "json" };
import { clopperPearson } from "./clopper-pearson.ts";

it.each(golden.cases)(
  "gives SciPy's exact interval of $count in $of",
  ({ count, of, low, high }) => {
    const found = clopperPearson(count, of);
    expect(Math.abs(found.low - low)).toBeLessThan(1e-9);
    expect(Math.abs(found.high - high)).toBeLessThan(1e-9);
  },
);
