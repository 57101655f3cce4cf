import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { IntervalChart } from "../../charts/interval-chart.tsx";
import { Figure, Figures, Table } from "../../components.tsx";
import { interval, number, pValue } from "../../format.ts";
import { Term } from "../../glossary.tsx";

/** What speaks for each layer: how well it tells the sides apart, and how steady its vector is. */
export function LayerTable({
  behavior,
  used,
}: {
  readonly behavior: PartValues["behavior"];
  /** The layer of the ranking, and why. */
  readonly used: { readonly layer: number; readonly layerReason: string } | undefined;
}): ReactNode {
  const { diagnostics, layerChoice, counts } = behavior;
  const isSame =
    layerChoice.kind === "chosen" &&
    layerChoice.layer === used?.layer &&
    layerChoice.reason === used.layerReason;
  const tells = `n ${counts.prompts} prompts; the table below has the intervals`;
  return (
    <>
      {(used !== undefined || !isSame) && (
        <p>
          {used !== undefined && (
            <>
              The ranking is at layer {used.layer} (
              <Figures tells={tells}>{used.layerReason}</Figures>
              ).{" "}
            </>
          )}
          {!isSame && (
            <>
              Left to choose by what is measured below, culprit would take{" "}
              {layerChoice.kind === "chosen" ? `layer ${layerChoice.layer}` : "none"} (
              <Figures tells={tells}>{layerChoice.reason}</Figures>
              ).{" "}
              {used !== undefined &&
                "A layer that the experiment file names (rank.layer) is taken whatever is measured."}
            </>
          )}
        </p>
      )}
      <p>
        The vector is made of {counts.pairs} <Term of="response pair">response pairs</Term> to{" "}
        {counts.prompts} prompts; {counts.unusable} could not be used.
      </p>
      <IntervalChart
        title="Held-out AUROC by layer"
        rows={diagnostics.flatMap(({ layer, heldOut, isStable }) =>
          heldOut.kind === "measured"
            ? [
                {
                  label: `layer ${layer}${isStable ? "" : ", not stable"}`,
                  value: heldOut.auroc,
                  low: heldOut.low,
                  high: heldOut.high,
                  n: counts.prompts,
                  kind: isStable ? ("chosen" as const) : ("random" as const),
                },
              ]
            : [],
        )}
        axis="AUROC"
        reference={0.5}
        domain={[Math.min(0.4, ...diagnostics.map(lowestHeldOut)), 1]}
        show={(value) => number(value, 2)}
        counted="prompts"
      >
        <Term of="held-out AUROC" />: how often an after-response scores above a before-response of
        other prompts; 0.5 is chance.
      </IntervalChart>
      <IntervalChart
        title="Split-half stability by layer"
        rows={diagnostics.flatMap(({ layer, splitHalf, isStable }) =>
          splitHalf.kind === "measured"
            ? [
                {
                  label: `layer ${layer}`,
                  value: splitHalf.mean,
                  low: splitHalf.low,
                  high: splitHalf.high,
                  n: splitHalf.draws,
                  kind: isStable ? ("chosen" as const) : ("random" as const),
                },
              ]
            : [],
        )}
        axis="cosine"
        reference={0.5}
        domain={[Math.min(0, ...diagnostics.map(lowestHalf)), 1]}
        show={(value) => number(value, 2)}
        counted="splits"
      >
        <Term of="split-half stability" />: the cosine between the vectors of two halves of the
        prompts. The line is the spread over splits.
      </IntervalChart>
      <Table
        caption="Layers"
        head={[
          "Layer",
          <>
            <Term of="AUROC" /> [95%]
          </>,
          <Term of="split-half stability">Split-half</Term>,
          <Term of="null p">Length’s null</Term>,
          <Term of="separation">Separation</Term>,
          <Term of="stable">Stable</Term>,
        ]}
        rows={diagnostics.map(
          ({ layer, heldOut, splitHalf, normNull, separation, isStable, doubt }) => [
            layer,
            heldOut.kind === "measured" ? (
              <Figure
                key="a"
                tells={`95% ${interval(heldOut.low, heldOut.high, number)}, n ${counts.prompts} prompts`}
              >
                {number(heldOut.auroc)} {interval(heldOut.low, heldOut.high, number)}
              </Figure>
            ) : (
              heldOut.reason
            ),
            splitHalf.kind === "measured" ? (
              <Figure
                key="s"
                tells={`95% of ${splitHalf.draws} splits ${interval(splitHalf.low, splitHalf.high, number)}, n ${counts.prompts} prompts`}
              >
                {number(splitHalf.mean)}
              </Figure>
            ) : (
              splitHalf.reason
            ),
            normNull.kind === "measured" ? (
              <Figure key="n" tells={ofLengths(counts.prompts)}>
                {pValue(normNull.p)}
              </Figure>
            ) : (
              normNull.reason
            ),
            separation.kind === "measured" ? (
              <Figure key="r" tells={ofLengths(counts.prompts)}>
                {number(separation.ratio, 2)}
              </Figure>
            ) : (
              separation.reason
            ),
            isStable ? (
              "yes"
            ) : (
              <Figures
                key="d"
                tells={`n ${counts.prompts} prompts; the columns before have the intervals`}
              >
                {`no: ${doubt ?? ""}`}
              </Figures>
            ),
          ],
        )}
      />
    </>
  );
}

const ofLengths = (prompts: number): string =>
  `one length beside those under random signs, n ${prompts} prompts; it has no interval`;

const lowestHeldOut = ({ heldOut }: PartValues["behavior"]["diagnostics"][number]): number =>
  heldOut.kind === "measured" ? heldOut.low : 1;

const lowestHalf = ({ splitHalf }: PartValues["behavior"]["diagnostics"][number]): number =>
  splitHalf.kind === "measured" ? splitHalf.low : 0;
