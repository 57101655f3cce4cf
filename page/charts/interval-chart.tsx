/** @file Estimates with their intervals, one a line: the form of most charts here. */
import { axisY, dot, ruleX, ruleY, text } from "@observablehq/plot";
import type { ReactNode } from "react";

import { Chart, type Columns, fitted, roomFor } from "./chart.tsx";
import type { Palette } from "./palette.ts";

/** Narrower charts, in pixels, have their labels above the lines. */
const NARROW = 480;

/** One line of such a chart. */
export interface IntervalRow {
  readonly label: string;
  readonly value: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly n: number | undefined;
  /** Whose colour it has. */
  readonly kind: "plain" | "chosen" | "random" | "planted";
}

export function IntervalChart({
  title,
  name,
  children,
  rows,
  axis,
  domain,
  within,
  reference,
  show,
  counted,
}: {
  readonly title: string;
  /** See ChartProps. */
  readonly name?: string | undefined;
  readonly children?: ReactNode;
  readonly rows: readonly IntervalRow[];
  readonly axis: string;
  readonly domain?: readonly [number, number] | undefined;
  /** Without a domain: what no value can lie beyond, so that the axis does not either. */
  readonly within?: readonly [number, number] | undefined;
  /** Where a line stands for no effect. */
  readonly reference?: number | undefined;
  readonly show: (value: number) => string;
  /** What n counts. */
  readonly counted: string;
}): ReactNode {
  const tell = ({ label, value, low, high, n }: IntervalRow): string =>
    `${label}: ${show(value)}${low === undefined || high === undefined ? ", no interval is known" : `, 95% ${show(low)} to ${show(high)}`}${n === undefined ? "" : `, n ${n} ${counted}`}`;
  const columns: Columns<IntervalRow> = {
    label: ({ label }) => label,
    [axis]: ({ value }) => value,
    low: ({ low }) => low,
    high: ({ high }) => high,
    [counted]: ({ n }) => n,
  };
  const labels = rows.map(({ label }) => label);
  const axisDomain = domain ?? (within && spanWithin(rows, within));
  return (
    <Chart
      title={title}
      name={name}
      rows={rows}
      columns={columns}
      draw={({ width, palette }) => {
        // On a narrow page labels stand above their lines, which would have no room beside them.
        const isNarrow = width < NARROW;
        const left = isNarrow ? 24 : roomFor(labels, width);
        return {
          height: (isNarrow ? 38 : 26) * rows.length + 48,
          marginLeft: left,
          marginRight: 24,
          marginTop: isNarrow ? 14 : 6,
          marginBottom: 40,
          x: {
            label: axis,
            grid: true,
            ...(axisDomain === undefined ? {} : { domain: [...axisDomain] }),
            tickFormat: (value: number) => show(value),
            ticks: Math.max(3, Math.floor((width - left) / 90)),
            labelAnchor: "right",
            nice: axisDomain === undefined,
          },
          y: { domain: labels, label: null, axis: null },
          marks: [
            ...(reference === undefined
              ? []
              : [ruleX([reference], { stroke: palette.muted, strokeDasharray: "3,3" })]),
            isNarrow
              ? text(rows, {
                  y: "label",
                  text: ({ label }: IntervalRow) => fitted(label, width),
                  frameAnchor: "left",
                  dy: -14,
                  fill: palette.muted,
                  // A label stays readable where the line of no effect runs through it.
                  stroke: palette.paper,
                  strokeWidth: 4,
                })
              : axisY({
                  tickSize: 0,
                  tickFormat: (label: string) => fitted(label, width),
                  label: null,
                }),
            ruleY(rows.filter(hasInterval), {
              x1: "low",
              x2: "high",
              y: "label",
              stroke: colorOf(palette),
              strokeWidth: 2,
            }),
            dot(rows, {
              x: "value",
              y: "label",
              r: 5,
              stroke: colorOf(palette),
              strokeWidth: 2,
              fill: (row: IntervalRow) =>
                row.kind === "random" ? palette.paper : colorOf(palette)(row),
              ariaLabel: tell,
            }),
          ],
        };
      }}
    >
      {children}
    </Chart>
  );
}

/** What the rows need, a twentieth more on either side as far as the limits allow. */
function spanWithin(
  rows: readonly IntervalRow[],
  [least, most]: readonly [number, number],
): readonly [number, number] {
  const ends = rows.flatMap(({ value, low = value, high = value }) => [value, low, high]);
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max((to - from) / 20, (most - least) / 200);
  return [Math.max(least, from - room), Math.min(most, to + room)];
}

const hasInterval = ({ low, high }: IntervalRow): boolean =>
  low !== undefined && high !== undefined;

const colorOf =
  (palette: Palette) =>
  ({ kind }: IntervalRow): string =>
    palette[kind];
