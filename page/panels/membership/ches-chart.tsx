import { dot, ruleY } from "@observablehq/plot";
import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { tellIntervals } from "../../../src/report/told-sentence.ts";
import { addressHref, go } from "../../address.ts";
import { Chart } from "../../charts/chart.tsx";
import { NAMED_COLORS, namedColor } from "../../charts/colors.ts";
import { Sentence } from "../../components.tsx";
import { interval, number } from "../../format.ts";
import { Term } from "../../glossary.tsx";
import { usePalette } from "../../theme.tsx";

type Found = PartValues["membership"];
type Pair = Found["pairs"][number];

/** Every claimed pair by its CHES and by what training did to its chosen response, coloured by source. */
export function ChesChart({ found }: { readonly found: Found }): ReactNode {
  const palette = usePalette();
  const { pairs, sources, by, noSource, displacement } = found;
  const names = sources.flatMap((each) => (each.claimed === undefined ? [] : [each.source]));
  const place = ({ source }: Pair): number => names.indexOf(source ?? "");
  // The table of pairs knows one column of sources; others, and pairs without one, are named one by one.
  const linkTo = (name: string): Readonly<Record<string, string>> =>
    by === "source" && name !== noSource
      ? { source: name }
      : { ids: pairs.flatMap((each) => (each.source === name ? [each.id] : [])).join("\n") };
  const told = displacement.normalised;
  return (
    <>
      <p>
        <Term of="CHES" /> is read on the model before training alone. Where it is high, training
        should make the chosen response itself less likely.{" "}
        {told !== undefined && (
          <Sentence
            of={tellIntervals(
              `Here its rank correlation with the drift of the chosen response is ${number(told.r)} ${interval(told.low, told.high, number)}; below 0 it foretells that.`,
              `n ${pairs.length.toLocaleString("en")} claimed pairs`,
            )}
          />
        )}
      </p>
      <Chart
        title="CHES and drift of the chosen response, pair by pair"
        rows={pairs}
        columns={{
          id: ({ id }) => id,
          source: ({ source }) => source,
          CHES: ({ ches }) => ches,
          "chosen, nats": ({ chosen }) => chosen,
          "rejected, nats": ({ rejected }) => rejected,
        }}
        open={(at) => go(addressHref(["pair", pairs[at]!.id]))}
        draw={({ width, palette: colors }) => ({
          height: Math.min(420, width),
          marginLeft: 56,
          marginRight: 24,
          marginTop: 28,
          marginBottom: 44,
          x: { label: "CHES per token", grid: true, nice: true, ticks: Math.max(3, width / 110) },
          y: { label: "drift of the chosen response, nats", grid: true, nice: true, ticks: 6 },
          marks: [
            ruleY([0], { stroke: colors.muted, strokeDasharray: "3,3" }),
            dot(pairs, {
              x: "ches",
              y: "chosen",
              r: 3,
              fill: (each: Pair) => namedColor(colors, place(each)),
              ariaLabel: (each: Pair) =>
                `${each.id}, ${each.source ?? "no source"}: CHES ${number(each.ches)}, chosen ${number(each.chosen)} nats, rejected ${number(each.rejected)} nats; n 1, of this pair alone: no interval`,
            }),
          ],
        })}
      >
        Below the line the chosen response became less likely. A click opens the pair.
      </Chart>
      <ul className="legend">
        {names.slice(0, NAMED_COLORS).map((name, i) => (
          <li key={name}>
            <span className="swatch" style={{ background: namedColor(palette, i) }} />
            <a href={addressHref(["pairs"], linkTo(name))}>{name}</a>
          </li>
        ))}
      </ul>
    </>
  );
}
