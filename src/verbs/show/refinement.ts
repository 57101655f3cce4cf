/** @file What is said of vectors of which the likeliest alone are exact. */
import type { Refinement } from "../../store/refinement.ts";
import { fixed, percent, withInterval } from "../../util/figures.ts";
import { printable, tableOf } from "../../util/text-table.ts";

const share = (value: number): string => `${(100 * value).toFixed(2)}%`;

/** A table of the tops that are safe, and a line for each layer of the sample. */
export function refinementLines({ audit, tops }: Refinement): string[] {
  return [
    ...tableOf(tops, [
      ["behavior", ({ behavior }) => printable(behavior)],
      ["layer", ({ layer }) => layer],
      ["top", ({ pairs }) => pairs],
      ["holds of the exact top", ({ recall }) => share(recall)],
      ["at least, at 95%", ({ recallLow }) => share(recallLow)],
      [
        "rank correlation with exact scores [95%]",
        ({ correlation }) =>
          correlation === undefined ? "-" : withInterval(correlation.r, correlation, fixed(4)),
      ],
    ]),
    ...audit.map(
      ({ layer, pairs, medianCosine, worstCosine, worseShare }) =>
        `layer ${layer}: first vectors of ${pairs} random pairs have a cosine of ${medianCosine.toFixed(5)} with the exact ones in the median, ${worstCosine.toFixed(5)} at worst; at most ${percent(worseShare)} of all pairs are worse (95%)`,
    ),
  ];
}
