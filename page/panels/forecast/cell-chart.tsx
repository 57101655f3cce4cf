import { axisX, axisY, cell, text } from "@observablehq/plot";
import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { Chart, cutTo, roomFor } from "../../charts/chart.tsx";
import { divergingColor } from "../../charts/colors.ts";
import type { Palette } from "../../charts/palette.ts";
import { interval, number, score } from "../../format.ts";
import { Term } from "../../glossary.tsx";

type Cell = PartValues["forecast"]["cells"][number];

/** Letters of a topic that stand below its column, and of a behaviour beside its row where the page is wide. */
const TOPIC_LETTERS = 18;
const BEHAVIOR_LETTERS = 28;

/** How far the pairs of each topic lie along each behaviour, by z, which has one scale for all. */
export function CellChart({ found }: { readonly found: PartValues["forecast"] }): ReactNode {
  const { cells, topicsLeftOut, stores } = found;
  const largest = Math.max(...cells.map(({ z }) => Math.abs(z ?? 0)), 1e-12);
  const behaviors = [...new Set(cells.map(({ behavior }) => behavior))];
  const topics = [...new Set(cells.map(({ topic }) => topic))];
  const short = (topic: string): string => cutTo(topic, TOPIC_LETTERS);
  const beside = (width: number) => (name: string) =>
    cutTo(name, Math.min(BEHAVIOR_LETTERS, Math.floor((width * 0.5 - 16) / 6.9)));
  const room = Math.max(...topics.map((topic) => short(topic).length)) * 8 + 24;
  return (
    <>
      <Chart
        title="Pairs of each topic along each behaviour"
        rows={cells}
        columns={{
          topic: ({ topic }) => topic,
          behaviour: ({ behavior }) => behavior,
          pairs: ({ pairs }) => pairs,
          difference: ({ difference }) => difference,
          d: ({ d }) => d,
          z: ({ z }) => z,
          "first half": ({ halves }) => halves?.[0],
          "second half": ({ halves }) => halves?.[1],
          "halves agree": ({ agree }) => (agree === undefined ? undefined : String(agree)),
        }}
        draw={({ width, palette }) => ({
          height: 24 * behaviors.length + room + 12,
          marginLeft: roomFor(behaviors.map(beside(width)), width),
          marginRight: 24,
          marginTop: 12,
          marginBottom: room,
          padding: 0.05,
          x: { domain: topics, label: null, axis: null },
          y: { domain: behaviors, label: null, axis: null },
          marks: [
            axisY({
              tickSize: 0,
              label: null,
              tickFormat: beside(width),
            }),
            axisX({ tickSize: 0, label: null, tickRotate: -90, tickFormat: short }),
            cell(cells, {
              x: "topic",
              y: "behavior",
              fill: (each: Cell) => colorOf(each, largest, palette),
              stroke: palette.grid,
              ariaLabel: tell,
            }),
            text(
              cells.filter(({ agree }) => agree === false),
              {
                x: "topic",
                y: "behavior",
                text: () => "≠",
                fill: palette.ink,
                pointerEvents: "none",
              },
            ),
          ],
        })}
      >
        A <Term of="cell" /> is blue where the topic’s chosen responses lie further along the
        behaviour than the rejected ones, orange where they lie less far, deeper with z. ≠: two
        random halves of the prompts differ in sign. By {stores[0]?.features}.
      </Chart>
      {topicsLeftOut > 0 && <p>{topicsLeftOut} smaller topics are not among them.</p>}
    </>
  );
}

const colorOf = ({ z }: Cell, largest: number, palette: Palette): string =>
  `rgb(${divergingColor(palette, (z ?? 0) / largest)
    .map(Math.round)
    .join()})`;

const tell = ({ topic, behavior, pairs, difference, d, z, agree }: Cell): string =>
  `${topic}, ${behavior}: ${score(difference)}, ${around(difference, z)}, d ${number(d, 2)}, z ${number(z, 1)}, n ${pairs} pairs${agree === undefined ? "" : agree ? ", halves agree" : ", halves do not agree"}`;

/** The normal interval: z is the difference over its error. */
function around(difference: number, z: number | undefined): string {
  if (z === undefined || z === 0) return "no interval is known";
  const half = 1.96 * Math.abs(difference / z);
  return `95% ${interval(difference - half, difference + half, score)}`;
}
