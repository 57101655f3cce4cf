import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { IntervalChart } from "../../charts/interval-chart.tsx";
import { Figure, Table } from "../../components.tsx";
import { interval, pValue, score as digits } from "../../format.ts";
import { signed, UNITS } from "./shift-text.ts";

/** What was read off the pairs along each behaviour, and the shift that an earlier calibration makes of it. */
export function Predictors({ found }: { readonly found: PartValues["forecast"] }): ReactNode {
  const { behaviors, predictors, stores, measure, pairs } = found;
  const features = stores.map((each) => each.features);
  const forecasts = behaviors.flatMap(({ name, forecast }) =>
    forecast === undefined ? [] : [{ name, ...forecast }],
  );
  return (
    <>
      {measure === undefined ? (
        <p>
          Means over the pairs, in no unit of a shift. p: how often directions of random signs lie
          as far from the pairs.
        </p>
      ) : (
        <IntervalChart
          title="Shift that was forecast before the training"
          rows={forecasts.map(({ name, value, low, high }) => {
            return { label: name, value, low, high, n: pairs.count, kind: "chosen" };
          })}
          axis={`shift, ${UNITS[measure]}`}
          reference={0}
          show={signed}
          counted="pairs"
        >
          By a calibration of an earlier training on the same checkpoint.
        </IntervalChart>
      )}
      <Table
        caption={`Means over ${pairs.count} pairs`}
        head={["Behaviour", ...predictors, ...features.map((each) => `p of ${each}`), "Vector"]}
        rows={behaviors.map(({ name, values, nulls, doubts }) => [
          name,
          ...predictors.map((predictor) => {
            const value = values[predictor];
            return value === undefined ? (
              "–"
            ) : (
              <Figure
                key={predictor}
                tells={`95% ${interval(value.low, value.high, digits)}, n ${pairs.clusters} ${pairs.clusteredBy}s`}
              >
                {digits(value.value)}
              </Figure>
            );
          }),
          ...features.map((each) =>
            nulls[each] === undefined ? (
              "–"
            ) : (
              <Figure
                key={each}
                tells={`beside random signs, n ${pairs.clusters} ${pairs.clusteredBy}s`}
              >
                {pValue(nulls[each].p)}
              </Figure>
            ),
          ),
          doubts.length === 0 ? (
            "stable"
          ) : (
            <Figure key="d" tells={`${doubts.join("; ")}; culprit behavior tells its interval`}>
              not stable
            </Figure>
          ),
        ])}
      />
    </>
  );
}
