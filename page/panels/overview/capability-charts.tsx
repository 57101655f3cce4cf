import type { ReactNode } from "react";

import { IntervalChart } from "../../charts/interval-chart.tsx";
import { Nothing } from "../../components.tsx";
import { number, percent } from "../../format.ts";
import { Term } from "../../glossary.tsx";
import type { Evaluation } from "./arm-kind.ts";

/** What the measures of culprit capabilities are called, and what they count; others keep their names. */
const TITLES: Readonly<Record<string, string>> = {
  preferences: "Held-out preferences that it gets right",
  answers: "Likelihood of good answers",
  tasks: "Tasks that it solves",
  overRefusal: "Harmless requests that it refuses",
};
const AXES: Readonly<Record<string, string>> = {
  preferences: "share of the pairs",
  answers: "nats per token",
  tasks: "share of the tasks",
  overRefusal: "share of the requests",
};
const SHARES: ReadonlySet<string> = new Set(["preferences", "tasks", "overRefusal"]);

/** The end of an interval of Student's t, which may lie beyond what a share can be. */
const limited = (end: number | undefined, measure: string): number | undefined =>
  end === undefined || !SHARES.has(measure) ? end : Math.min(Math.max(end, 0), 1);

const namesOf = ({ measures }: Evaluation): readonly string[] => [
  ...new Set(measures.map(({ measure }) => measure)),
];

/** How to read the charts of what must not get worse, or how to come by some. */
export function AboutCapabilities({ evaluation }: { readonly evaluation: Evaluation }): ReactNode {
  if (namesOf(evaluation).length === 0) {
    return (
      <Nothing>
        What must not get worse was not measured. A section capabilities in the experiment file
        measures it.
      </Nothing>
    );
  }
  return (
    <p>
      Beside the rates stands what must not get worse: a <Term of="capability" /> that an edit makes
      worse is its price. Higher is better, but for harmless requests that are refused.
    </p>
  );
}

/** What must not get worse, a chart for each measure. */
export function CapabilityCharts({ evaluation }: { readonly evaluation: Evaluation }): ReactNode {
  const { measures, controls } = evaluation;
  return namesOf(evaluation).map((measure) => (
    <IntervalChart
      key={measure}
      title={TITLES[measure] ?? measure}
      rows={measures.flatMap((each) =>
        each.measure !== measure || each.summary === undefined
          ? []
          : [
              {
                label: each.arm,
                value: each.summary.mean,
                low: limited(each.summary.low, measure),
                high: limited(each.summary.high, measure),
                n: each.summary.items,
                kind:
                  each.arm === "before" || each.arm === evaluation.baseline
                    ? ("plain" as const)
                    : controls.includes(each.arm)
                      ? ("random" as const)
                      : ("chosen" as const),
              },
            ],
      )}
      axis={AXES[measure] ?? measure}
      {...(SHARES.has(measure) ? { within: [0, 1] as const } : {})}
      show={SHARES.has(measure) ? percent : number}
      counted="items"
    />
  ));
}
