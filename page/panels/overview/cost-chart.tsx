import { axisY, barX } from "@observablehq/plot";
import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { Chart, roomFor } from "../../charts/chart.tsx";
import { Facts } from "../../components.tsx";
import { amount, count, duration } from "../../format.ts";

interface Kind {
  readonly kind: string;
  readonly stages: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly flops: number;
  readonly money: number | undefined;
}

/** Time, tokens and money of the stages, those of a kind together. */
export function CostChart({ overview }: { readonly overview: PartValues["overview"] }): ReactNode {
  const { total, currency } = overview;
  const rows = sumByKind(overview.stages);
  return (
    <>
      <Facts
        of={[
          ["Time", duration(total.seconds)],
          ["Tokens", amount(total.tokens)],
          ["Multiplications and additions", amount(total.flops)],
          ...(total.endpoint === undefined
            ? []
            : [["Requests to endpoints", count(total.endpoint.requests)] as const]),
          // What endpoints were paid is in it.
          ...(total.money === undefined
            ? []
            : [["Money", `${total.money.toFixed(2)} ${currency}`] as const]),
        ]}
      />
      <Chart
        title="Time by kind of stage"
        rows={rows}
        columns={{
          kind: ({ kind }) => kind,
          stages: ({ stages }) => stages,
          seconds: ({ seconds }) => seconds,
          tokens: ({ tokens }) => tokens,
          flops: ({ flops }) => flops,
          money: ({ money }) => money,
        }}
        draw={({ width, palette }) => ({
          height: 24 * rows.length + 48,
          marginLeft: roomFor(
            rows.map(({ kind }) => kind),
            width,
          ),
          marginRight: 24,
          marginBottom: 40,
          x: {
            label: "seconds",
            grid: true,
            ticks: Math.max(2, Math.floor(width / 140)),
          },
          y: { domain: rows.map(({ kind }) => kind), label: null },
          marks: [
            axisY({ tickSize: 0, label: null }),
            barX(rows, {
              x: "seconds",
              y: "kind",
              fill: palette.plain,
              insetTop: 3,
              insetBottom: 3,
              ariaLabel: ({ kind, stages, seconds, tokens, money }: Kind) =>
                `${kind}: ${duration(seconds)}, measured once, in ${stages} stages, ${amount(tokens)} tokens${money === undefined ? "" : `, ${money.toFixed(4)} ${currency}`}`,
            }),
          ],
        })}
      />
    </>
  );
}

function sumByKind(stages: PartValues["overview"]["stages"]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { kind, cost } of stages) {
    if (cost === undefined) continue;
    const sum = kinds.get(kind) ?? {
      kind,
      stages: 0,
      seconds: 0,
      tokens: 0,
      flops: 0,
      money: undefined,
    };
    kinds.set(kind, {
      kind,
      stages: sum.stages + 1,
      seconds: sum.seconds + cost.seconds,
      tokens: sum.tokens + cost.tokens,
      flops: sum.flops + cost.flops,
      money: cost.money === undefined ? sum.money : (sum.money ?? 0) + cost.money,
    });
  }
  return [...kinds.values()];
}
