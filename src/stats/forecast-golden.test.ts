/** Ridge, clustered means and the quality of predictions, against scikit-learn and SciPy. */
import { describe, expect, it } from "vitest";

import golden from "../../test/golden/forecast/forecast.json" with { type: "json" };
import { expectAllClose } from "../../test/support/close.ts";
import { createRng } from "../util/rng.ts";
import { clusteredMean, meanAndError } from "./clustered-mean.ts";
import { predictionQuality } from "./prediction-quality.ts";
import { applyRidge, fitRidge, ridgeErrors } from "./ridge.ts";

describe("fitRidge", () => {
  it.each(golden.ridges)("gives scikit-learn's weights ($alpha)", ({ rows, y, alpha, weights }) => {
    expectAllClose(fitRidge(rows, y, alpha).weights, weights, { rtol: 1e-7, atol: 1e-10 });
  });

  it("gives the worked example, and nothing for what moves nothing", () => {
    const fit = fitRidge([[1], [-1]], [3, -1], 2);
    expect(fit.weights).toEqual([1]);
    expect(applyRidge(fit, [0])).toBe(0);
  });
});

describe("ridgeErrors", () => {
  it("gives the worked example", () => {
    expectAllClose(ridgeErrors([[1], [-1]], [3, -1], 2), [8 / 3, 0], { atol: 1e-12 });
  });

  it.each(golden.ridges)(
    "gives what fits without each row leave ($alpha)",
    ({ rows, y, alpha }) => {
      // Rows of one scale, so that leaving one out does not change the scales: each is ±1.
      const signs = rows.map((row) => row.map((value) => (value < 0 ? -1 : 1)));
      const apart = signs.map((row, i) => {
        const others = signs.filter((_, j) => j !== i);
        return (
          y[i]! -
          applyRidge(
            fitRidge(
              others,
              y.filter((_, j) => j !== i),
              alpha,
            ),
            row,
          )
        );
      });
      expectAllClose(ridgeErrors(signs, y, alpha), apart, { rtol: 1e-9, atol: 1e-9 });
    },
  );
});

describe("clusteredMean", () => {
  it.each(golden.means)("gives SciPy's interval over $each values a cluster", (each) => {
    const clusters = each.values.map((_, i) => Math.floor(i / each.each));
    const { value, low, high } = clusteredMean(each.values, clusters);
    expectAllClose([value, low!, high!], [each.value, each.low, each.high], { atol: 1e-10 });
  });

  it("gives the worked example, and no interval for one cluster", () => {
    expect(meanAndError([1, 3, 5], [0, 0, 1]).error! ** 2).toBeCloseTo((2 * 8) / 9, 12);
    expect(clusteredMean([1, 3], [4, 4])).toEqual({ value: 2 });
    expect(meanAndError([1, 3], [4, 4]).count).toBe(1);
  });
});

describe("predictionQuality", () => {
  const options = { rng: createRng(1), replicates: 200 };

  it.each(golden.qualities)("gives R², signs and the line of the libraries", (each) => {
    const found = predictionQuality(each.predicted, each.observed, options);
    const { r2, slope, intercept, signs } = found;
    expectAllClose([r2!.value], [each.r2], { atol: 1e-12 });
    expectAllClose([slope!.value, slope!.low!, slope!.high!], each.slope, { atol: 1e-9 });
    expectAllClose([intercept!.value, intercept!.low!, intercept!.high!], each.intercept, {
      atol: 1e-9,
    });
    expect(signs).toMatchObject({ count: each.hits, of: each.predicted.length });
    expect(r2!.low).toBeLessThanOrEqual(r2!.value);
    expect(r2!.high).toBeGreaterThanOrEqual(r2!.value);
  });

  it("has no R² where nothing differs, no line where predictions are the same, and 0 has no sign", () => {
    const constant = predictionQuality([1, 2, 3], [2, 2, 2], options);
    expect(constant.r2).toBeUndefined();
    expect(constant.slope!.value).toBe(0);
    const none = predictionQuality([0, 0, 0], [1, 2, 0], options);
    expect(none.slope).toBeUndefined();
    expect(none.signs).toMatchObject({ count: 0, of: 3 });
    expect(none.r2!.value).toBe(-1.5);
  });
});
