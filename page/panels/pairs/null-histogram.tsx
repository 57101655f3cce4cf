import { lineY, rectY, ruleY } from "@observablehq/plot";
import type { ReactNode } from "react";

import type { Histogram, PartValues } from "../../../src/report/report-source.ts";
import { Chart } from "../../charts/chart.tsx";
import { Figure, Figures, Nothing } from "../../components.tsx";
import { count, percent, score } from "../../format.ts";
import { Term } from "../../glossary.tsx";

interface Bin {
  readonly from: number;
  readonly to: number;
  readonly pairs: number;
  /** By a null direction, on average; undefined where there are none. */
  readonly expected: number | undefined;
}

type Ranking = PartValues["rankings"][number]["ranking"];
type Kind = NonNullable<Ranking["verdict"]>["kind"];

/** How to read bars beyond the line, as the verdict on all of them has it. */
const BEYOND = {
  concentrated:
    "What stands out to the right beyond the line is more than the null directions give: a small part of the pairs.",
  diffuse: "Here no small part of the pairs stands out to the right: most of them lie there.",
  "no signal":
    "Bars beyond the line are no finding here: single null directions reach as far, and the line is only their mean.",
  none: "The line is a mean: single null directions reach further to either side.",
} as const satisfies Record<Kind | "none", string>;

/** How the scores are spread, beside those of directions that mean nothing. */
export function NullHistogram({
  ranking,
  histogram,
}: {
  readonly ranking: PartValues["rankings"][number]["ranking"] | undefined;
  readonly histogram: Histogram | undefined;
}): ReactNode {
  const bins = binsOf(ranking, histogram);
  if (bins.length === 0) return <Nothing>There are no scores to show.</Nothing>;
  const comparison = ranking?.null;
  const hasNull = comparison !== undefined;
  return (
    <>
      <Chart
        title={hasNull ? "Scores against the null" : "Scores"}
        rows={bins}
        columns={{
          from: ({ from }) => from,
          to: ({ to }) => to,
          pairs: ({ pairs }) => pairs,
          "by chance": ({ expected }) => expected,
        }}
        draw={({ width, palette }) => ({
          height: 290,
          marginTop: 30,
          marginLeft: 60,
          marginBottom: 44,
          marginRight: 20,
          x: { label: "score", ticks: Math.max(3, Math.floor(width / 110)) },
          y: { label: "pairs (square-root scale)", type: "sqrt", grid: true, ticks: 5 },
          marks: [
            rectY(bins, {
              x1: "from",
              x2: "to",
              y: "pairs",
              fill: palette.chosen,
              insetLeft: 0.5,
              insetRight: 0.5,
              ariaLabel: ({ from, to, pairs, expected }: Bin) =>
                `${score(from)} to ${score(to)}: ${count(pairs)} pairs${expected === undefined ? "" : `, by chance ${expected.toFixed(1)}`}; counted: no interval`,
            }),
            ...(hasNull
              ? [
                  lineY(bins, {
                    x: ({ from, to }: Bin) => (from + to) / 2,
                    y: "expected",
                    stroke: palette.random,
                    strokeWidth: 2.5,
                    curve: "step",
                  }),
                ]
              : []),
            ruleY([0], { stroke: palette.muted }),
          ],
        })}
      >
        {hasNull && (
          <>
            Bars: these scores. Line: scores by a <Term of="null direction" />, on average of{" "}
            {comparison.directions}. {BEYOND[ranking?.verdict?.kind ?? "none"]}
          </>
        )}
      </Chart>
      {ranking?.verdict !== undefined && (
        <p>
          <Term of="signal">Verdict</Term>: <b>{ranking.verdict.kind}</b>:{" "}
          <Figures
            tells={`n ${count(ranking.scored)} scored pairs; held to ${comparison?.directions ?? "no"} null directions in place of an interval`}
          >
            {`${ranking.verdict.reason}. ${ranking.verdict.meaning}`}
          </Figures>
        </p>
      )}
      {comparison !== undefined && (
        <ul>
          {comparison.tails.map(({ side, expected, share, threshold, nullShares }) => (
            <li key={`${side} ${expected}`}>
              {side === "top" ? "Above" : "Below"}{" "}
              <Figure
                tells={`a bar, set where the mean of n ${comparison.directions} null directions has ${percent(expected)}: no interval`}
              >
                {score(threshold)}
              </Figure>
              :{" "}
              <Figure
                tells={`single null directions ${percent(nullShares[0])} to ${percent(nullShares[1])}, n ${count(ranking?.scored)} scored pairs, ${comparison.directions} null directions`}
              >
                {percent(share)}, by the mean null direction {percent(expected)} (single ones{" "}
                {percent(nullShares[0])} to {percent(nullShares[1])})
              </Figure>{" "}
              of the pairs
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function binsOf(
  ranking: PartValues["rankings"][number]["ranking"] | undefined,
  histogram: Histogram | undefined,
): Bin[] {
  const comparison = ranking?.null;
  if (comparison !== undefined) {
    const { edges, real, null: pooled } = comparison.histogram;
    return real.map((pairs, i) => ({
      from: edges[i]!,
      to: edges[i + 1]!,
      pairs,
      expected: pooled[i]! / comparison.directions,
    }));
  }
  return (histogram?.counts ?? []).map((pairs, i) => ({
    from: histogram!.edges[i]!,
    to: histogram!.edges[i + 1]!,
    pairs,
    expected: undefined,
  }));
}
