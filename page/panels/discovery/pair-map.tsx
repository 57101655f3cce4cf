import { dot } from "@observablehq/plot";
import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { addressHref, change, go } from "../../address.ts";
import { Chart } from "../../charts/chart.tsx";
import { divergingColor, NAMED_COLORS, namedColor } from "../../charts/colors.ts";
import type { Palette } from "../../charts/palette.ts";
import { Figure, Nothing } from "../../components.tsx";
import { percent, score } from "../../format.ts";
import { usePalette } from "../../theme.tsx";

const COLORINGS = ["source", "cluster", "score"] as const;
type Coloring = (typeof COLORINGS)[number];

interface Point {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly source: number;
  readonly cluster: number;
  readonly score: number | undefined;
}

/** The clustered pairs in a plane, coloured by what is chosen. */
export function PairMap({
  found: { map, columns, by },
  params,
}: {
  readonly found: PartValues["discovery"];
  readonly params: Readonly<Record<string, string>>;
}): ReactNode {
  const palette = usePalette();
  if (map === undefined) return <Nothing>The vectors of the pairs are not there any more.</Nothing>;
  const coloring = COLORINGS.find((each) => each === params["color"]) ?? "source";
  const points = columns.ids.map((id, i): Point => ({
    id,
    x: map.x[i]!,
    y: map.y[i]!,
    source: map.sources[i]!,
    cluster: columns.clusters[i]!,
    score: map.scores[i] ?? undefined,
  }));
  const largest = Math.max(...points.map((each) => Math.abs(each.score ?? 0)), 1e-12);
  const names: Readonly<Record<Coloring, readonly string[]>> = {
    source: map.names,
    cluster: columns.assigned.map((_, i) => `cluster ${i}`),
    score: [],
  };
  // The table of pairs knows one column of sources; what else they are grouped by is named one by one.
  const linkTo = (name: string, group: number): Readonly<Record<string, string>> =>
    coloring === "source" && by === "source"
      ? { source: name }
      : { ids: points.flatMap((each) => (each[coloring] === group ? [each.id] : [])).join("\n") };
  const [first, second] = map.shares;
  return (
    <>
      <div className="tools" role="group" aria-label="Colour of the pairs">
        {COLORINGS.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === coloring}
            onClick={() => change({ color: each })}
          >
            {each}
          </button>
        ))}
      </div>
      <Chart
        // Points are drawn again with the colours.
        key={coloring}
        title={`Pairs by ${coloring}`}
        rows={points}
        columns={{
          id: ({ id }) => id,
          x: ({ x }) => x,
          y: ({ y }) => y,
          source: ({ source }) => map.names[source],
          cluster: ({ cluster }) => cluster,
          score: (each) => each.score,
        }}
        open={(at) => go(addressHref(["pair", points[at]!.id]))}
        draw={({ width, palette: colors }) => ({
          height: Math.min(480, width),
          margin: 16,
          axis: null,
          marks: [
            dot(points, {
              x: "x",
              y: "y",
              r: 4,
              fill: (each: Point) => colorOf(each, { coloring, largest, colors }),
              stroke: colors.muted,
              strokeWidth: 0.5,
              ariaLabel: ({ id, source, cluster, score: found }: Point) =>
                `${id}: ${map.names[source] ?? "no source"}, cluster ${cluster}, score ${score(found)}; n 1, of this pair alone: no interval`,
            }),
          ],
        })}
      >
        Pairs that lie near each other move the model alike: the two principal components of their
        vectors (
        <Figure tells={`n ${points.length} pairs: of these alone, so without an interval`}>
          {percent(first)} and {percent(second)}
        </Figure>{" "}
        of the variance). A click opens the pair.
        {coloring === "score" && " Blue scores are above 0, orange ones below."}
      </Chart>
      <ul className="legend">
        {names[coloring].map((name, i) => (
          <li key={name}>
            <span
              className="swatch"
              style={{ background: namedColor(palette, i < NAMED_COLORS ? i : -1) }}
            />
            <a href={addressHref(["pairs"], linkTo(name, i))}>{name}</a>
          </li>
        ))}
      </ul>
    </>
  );
}

function colorOf(
  { source, cluster, score: value }: Point,
  {
    coloring,
    largest,
    colors,
  }: { readonly coloring: Coloring; readonly largest: number; readonly colors: Palette },
): string {
  if (coloring !== "score") return namedColor(colors, coloring === "source" ? source : cluster);
  return value === undefined
    ? colors.muted
    : `rgb(${divergingColor(colors, value / largest).join()})`;
}
