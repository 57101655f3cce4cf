import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { IntervalChart } from "../../charts/interval-chart.tsx";
import { Figure, Nothing, Table } from "../../components.tsx";
import { interval, number, percent } from "../../format.ts";
import { Term } from "../../glossary.tsx";
import { withInterval } from "./shift-text.ts";

type Score = NonNullable<PartValues["forecast"]["score"]>;
type Share = Score["forecasts"][number]["signs"];

const two = (value: number): string => number(value, 2);

/** R², signs and calibration of every forecast and baseline. */
export function Scores({ score }: { readonly score: Score }): ReactNode {
  const { forecasts, advantages, heldOut, missing, noR2 } = score;
  const told = (found: Parameters<typeof withInterval>[0] | undefined): ReactNode =>
    found === undefined ? (
      "–"
    ) : (
      <Figure tells={`95% ${interval(found.low, found.high, two)}, n ${heldOut} behaviours`}>
        {withInterval(found, two)}
      </Figure>
    );
  const kinds = { combination: "chosen", predictor: "plain", baseline: "random" } as const;
  return (
    <>
      {noR2 === undefined ? (
        <IntervalChart
          title="R² of each forecast"
          rows={forecasts.flatMap(({ name, kind, r2 }) =>
            r2 === undefined
              ? []
              : [
                  {
                    label: name,
                    value: r2.value,
                    low: r2.low,
                    high: r2.high,
                    n: heldOut,
                    kind: kinds[kind],
                  },
                ],
          )}
          axis="R²"
          reference={0}
          show={two}
          counted="held-out behaviours"
        >
          1 is right; below 0 the mean of the observed shifts would have been better. Hollow:
          baselines that have read no activations.
        </IntervalChart>
      ) : (
        <Nothing>No R²: {noR2}.</Nothing>
      )}
      <Table
        caption="Slope 1 and intercept 0 of observed on predicted: calibrated"
        head={[
          "Forecast",
          <Term key="r" of="R²">
            R² [95%]
          </Term>,
          "Signs",
          "Signs of the moved",
          "Within 95%",
          <Term key="s" of="slope">
            Slope [95%]
          </Term>,
          "Intercept",
        ]}
        rows={forecasts.map(({ name, kind, r2, signs, movedSigns, covered, slope, intercept }) => [
          kind === "baseline" ? `${name} (baseline)` : name,
          told(r2),
          share(signs),
          share(movedSigns),
          <Figure
            key="c"
            tells={`95% ${interval(covered.low, covered.high, percent)}, n ${covered.of} behaviours`}
          >
            {covered.count} of {covered.of}
          </Figure>,
          told(slope),
          told(intercept),
        ])}
      />
      {advantages.length > 0 && (
        <Table
          caption="R² of the combination less that of a baseline"
          head={["Baseline", "Difference [95%]"]}
          rows={advantages.map(({ over, ...difference }) => [over, told(difference)])}
        />
      )}
      {Object.entries(missing).map(([name, reason]) => (
        <p key={name}>
          Not scored: {name}, {reason}.
        </p>
      ))}
    </>
  );
}

function share({ count, of, share: value, low, high }: Share): ReactNode {
  return (
    <Figure tells={`95% ${interval(low, high, percent)}, n ${of} behaviours`}>
      {count} of {of} {interval(low, high, (each) => percent(each, 0))}
      {value === undefined && "–"}
    </Figure>
  );
}
