import { dot, line, ruleX, ruleY } from "@observablehq/plot";
import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { Chart } from "../../charts/chart.tsx";
import { interval } from "../../format.ts";
import { usePalette } from "../../theme.tsx";
import { type HeldOut, heldOutBy, signed, UNITS, verdictOf } from "./shift-text.ts";

/** Every held-out behaviour by what was predicted and what came; misses have their own colour and form, at the same size. */
export function PredictedChart({
  score,
  by,
}: {
  readonly score: NonNullable<PartValues["forecast"]["score"]>;
  readonly by: string;
}): ReactNode {
  const palette = usePalette();
  const rows = heldOutBy(score, by);
  const unit = UNITS[score.measure];
  const ends = rows.flatMap(({ low: least, high: most, observed }) => {
    const { shift, low = shift, high = shift } = observed;
    return [least, most, low, high];
  });
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  return (
    <>
      <Chart
        title={`Predicted against observed shift, ${by}`}
        name="predicted"
        rows={rows}
        columns={{
          behaviour: ({ name }) => name,
          predicted: ({ predicted }) => predicted,
          "predicted low": ({ low }) => low,
          "predicted high": ({ high }) => high,
          observed: ({ observed }) => observed.shift,
          "observed low": ({ observed }) => observed.low,
          "observed high": ({ observed }) => observed.high,
          sign: verdictOf,
        }}
        draw={({ width, palette: colors }) => ({
          height: Math.min(480, width),
          marginLeft: 56,
          marginRight: 24,
          marginTop: 28,
          marginBottom: 44,
          x: axis(`predicted shift, ${unit}`, [least, most], Math.max(3, Math.floor(width / 90))),
          y: axis(`observed shift, ${unit}`, [least, most], 6),
          marks: [
            ruleX([0], { stroke: colors.muted }),
            ruleY([0], { stroke: colors.muted }),
            line(
              [
                [least, least],
                [most, most],
              ],
              { stroke: colors.muted, strokeDasharray: "3,3" },
            ),
            ruleX(
              rows.filter(({ observed }) => observed.low !== undefined),
              {
                x: "predicted",
                y1: ({ observed }: HeldOut) => observed.low,
                y2: ({ observed }: HeldOut) => observed.high,
                stroke: ({ isHit }: HeldOut) => colors[isHit ? "chosen" : "random"],
                strokeWidth: 1.5,
              },
            ),
            ruleY(rows, {
              y: ({ observed }: HeldOut) => observed.shift,
              x1: "low",
              x2: "high",
              stroke: ({ isHit }: HeldOut) => colors[isHit ? "chosen" : "random"],
              strokeOpacity: 0.35,
            }),
            dot(rows, {
              x: "predicted",
              y: ({ observed }: HeldOut) => observed.shift,
              r: 5,
              symbol: ({ isHit }: HeldOut) => (isHit ? "circle" : "diamond"),
              stroke: ({ isHit }: HeldOut) => colors[isHit ? "chosen" : "random"],
              strokeWidth: 2,
              fill: ({ isHit, moved }: HeldOut) =>
                moved ? colors[isHit ? "chosen" : "random"] : colors.paper,
              ariaLabel: (each: HeldOut) => tell(each),
            }),
          ],
        })}
      >
        On the dashed line the forecast is right; thin lines across are its 95% interval, upright
        ones that of what was observed. Above 0 on one side and below it on the other it has the
        wrong sign: a miss. Hollow: the observed interval has 0 in it.
      </Chart>
      <ul className="legend">
        {(["chosen", "random"] as const).map((kind) => (
          <li key={kind}>
            <span className="swatch" style={{ background: palette[kind] }} />
            {kind === "chosen" ? "hit (circle)" : "miss (diamond)"}
          </li>
        ))}
      </ul>
    </>
  );
}

const axis = (label: string, domain: readonly [number, number], ticks: number): object => ({
  label,
  domain: [...domain],
  nice: true,
  grid: true,
  ticks,
  tickFormat: (value: number) => String(value).replace("-", "−"),
});

const tell = (each: HeldOut): string => {
  const { name, predicted, low, high, observed } = each;
  const around = interval(observed.low, observed.high, signed);
  return `${name}: predicted ${signed(predicted)}, 95% ${interval(low, high, signed)}, observed ${signed(observed.shift)}${around === "" ? "" : `, 95% ${around}`}, n ${observed.groups}: ${verdictOf(each)}`;
};
