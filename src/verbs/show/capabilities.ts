import { type MeasureSummary, summariseMeasure } from "../../rates/compare-measures.ts";
import {
  CAPABILITIES,
  type Capability,
  type CapabilityMeasures,
} from "../../rates/measure-capabilities.ts";
import { fixed, percent, withInterval } from "../../util/figures.ts";
import { tableOf } from "../../util/text-table.ts";

/** Of their columns. */
export const CAPABILITY_HEADINGS: { readonly [C in Capability]: string } = {
  preferences: "preferences",
  answers: "answers",
  tasks: "tasks",
  overRefusal: "over-refusal",
};

/** Shares in percent, answers in nats per token, with the 95% interval. */
export function formatCapability(
  capability: Capability,
  summary: Pick<MeasureSummary, "mean" | "low" | "high">,
): string {
  return withInterval(summary.mean, summary, capability === "answers" ? fixed(3) : shareWithin);
}

/** The interval of a mean of shares may reach past what a share can be. */
const shareWithin = (value: number): string => percent(Math.min(1, Math.max(0, value)));

/** What `culprit capabilities` prints. */
export function formatCapabilities(measures: CapabilityMeasures): string {
  const rows = CAPABILITIES.flatMap((capability) => {
    const values = measures[capability];
    return values === undefined ? [] : [{ capability, summary: summariseMeasure([values]) }];
  });
  return tableOf(rows, [
    ["capability", ({ capability }) => CAPABILITY_HEADINGS[capability]],
    ["items", ({ summary }) => summary?.items ?? 0],
    [
      "mean [95%]",
      ({ capability, summary }) =>
        summary === undefined ? "nothing measured" : formatCapability(capability, summary),
    ],
    ["", ({ capability }) => (capability === "answers" ? "nats per token" : "of the items")],
  ]).join("\n");
}
