import { dot, ruleX, ruleY } from "@observablehq/plot";
import type { ReactNode } from "react";

import { triggeredArms } from "../../../src/report/triggered-arms.ts";
import { Chart } from "../../charts/chart.tsx";
import { percent } from "../../format.ts";
import type { Evaluation, Result } from "./arm-kind.ts";

interface Reduced {
  readonly arm: string;
  readonly pairs: number;
  readonly value: number;
  readonly low: number | undefined;
  readonly high: number;
  readonly prompts: number;
  readonly isChosen: boolean;
  readonly action: Action;
}

/** Tenths have a chart of their own. */
type Action = Exclude<Result["edits"][number]["action"], "tenth">;

/** The form of an edit's points, and the letter that stands for it beside the chart. */
const FORMS: Readonly<Record<Action, readonly [symbol: string, letter: string]>> = {
  filter: ["circle", "●"],
  swap: ["square", "■"],
  "drop-source": ["diamond", "◆"],
  review: ["triangle", "▲"],
};

/** By how much each edit lowers the rate, against how many pairs it edits. */
export function ReductionChart({
  result,
  evaluation,
}: {
  readonly result: Result;
  readonly evaluation: Evaluation;
}): ReactNode {
  const { trigger, edits } = result;
  const arms = triggeredArms(evaluation, trigger);
  const rows = edits.flatMap(({ arm, pairs, pick, action }): Reduced[] => {
    const compared = arms.find((each) => each.arm === arm)?.toBaseline;
    // The bottom is neither the pairs at fault nor random ones.
    if (compared?.reduction === undefined || action === "tenth" || pick === "bottom") return [];
    const { value, low, high } = compared.reduction;
    const { prompts } = compared;
    return [{ arm, pairs, value, low, high, prompts, isChosen: pick === "chosen", action }];
  });
  if (rows.length === 0) return undefined;
  const tell = ({ arm, pairs, value, low, high, prompts }: Reduced): string =>
    `${arm}: ${percent(value)} less with ${pairs} pairs edited, 95% ${low === undefined ? "no lower bound" : percent(low)} to ${percent(high)}, n ${prompts} prompts`;
  return (
    <Chart
      title="Reduction against the number of pairs edited"
      rows={rows}
      columns={{
        arm: ({ arm }) => arm,
        "pairs edited": ({ pairs }) => pairs,
        reduction: ({ value }) => value,
        low: ({ low }) => low,
        high: ({ high }) => high,
        prompts: ({ prompts }) => prompts,
      }}
      draw={({ palette }) => {
        const floor = Math.min(-0.05, ...rows.map(({ value, low }) => Math.max(-1, low ?? value)));
        const color = ({ isChosen }: Reduced): string =>
          isChosen ? palette.chosen : palette.random;
        return {
          height: 290,
          marginTop: 30,
          marginLeft: 56,
          marginRight: 30,
          marginBottom: 44,
          x: {
            label: "pairs edited",
            type: "log",
            ticks: [...new Set(rows.map(({ pairs }) => pairs))],
            tickFormat: (value: number) => value.toLocaleString("en"),
            domain: [
              Math.min(...rows.map(({ pairs }) => pairs)) / 1.6,
              Math.max(...rows.map(({ pairs }) => pairs)) * 1.6,
            ],
          },
          y: {
            label: "reduction of the rate",
            domain: [floor, Math.min(1, Math.max(...rows.map(({ high }) => high)) + 0.05)],
            grid: true,
            tickFormat: (value: number) => percent(value, 0),
            clamp: true,
          },
          marks: [
            ruleY([0], { stroke: palette.muted, strokeDasharray: "3,3" }),
            ruleX(rows, {
              x: (row: Reduced) => placeOf(row, rows),
              y1: (row: Reduced) => row.low ?? floor,
              y2: "high",
              stroke: color,
              strokeWidth: 2,
            }),
            dot(rows, {
              x: (row: Reduced) => placeOf(row, rows),
              y: "value",
              r: 5,
              symbol: ({ action }: Reduced) => FORMS[action][0],
              stroke: color,
              strokeWidth: 2,
              fill: (row: Reduced) => (row.isChosen ? palette.chosen : palette.paper),
              ariaLabel: tell,
            }),
          ],
        };
      }}
    >
      By which share of the baseline’s rate an edit lowers it.{" "}
      {[...new Set(rows.map(({ action }) => action))]
        .map((action) => `${FORMS[action][1]} ${action}`)
        .join(", ")}
      ; filled: pairs that the ranking chose, hollow: random ones. Arms of as many pairs stand side
      by side, in the order of the table.
    </Chart>
  );
}

/** Arms of equally many pairs, a little apart so that none hides another. */
function placeOf(row: Reduced, rows: readonly Reduced[]): number {
  const same = rows.filter(({ pairs }) => pairs === row.pairs);
  const step = same.indexOf(row) - (same.length - 1) / 2;
  return row.pairs * 1.06 ** step;
}
