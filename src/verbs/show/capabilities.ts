import { type MeasureSummary, summariseMeasure } from "../../rates/compare-measures.ts";
import {
  CAPABILITIES,
  type Capability,
  type CapabilityMeasures,
} from "../../rates/measure-capabilities.ts";
import { percent, withInterval } from "../../util/figures.ts";
import { textTable } from "../../util/text-table.ts";

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
  { mean, low, high }: Pick<MeasureSummary, "mean" | "low" | "high">,
): string {
  return withInterval([mean, low, high], capability === "answers" ? nats : shareWithin);
}

/** Log-probability per token. */
export const nats = (value: number): string => value.toFixed(3);

/** The interval of a mean of shares may reach past what a share can be. */
const shareWithin = (value: number): string => percent(Math.min(1, Math.max(0, value)));

/** What `culprit capabilities` prints. */
export function formatCapabilities(measures: CapabilityMeasures): string {
  const rows = CAPABILITIES.flatMap((capability) => {
    const values = measures[capability];
    if (values === undefined) return [];
    const summary = summariseMeasure([values]);
    return [
      [
        CAPABILITY_HEADINGS[capability],
        `${summary?.items ?? 0}`,
        summary === undefined ? "nothing measured" : formatCapability(capability, summary),
        capability === "answers" ? "nats per token" : "of the items",
      ],
    ];
  });
  return textTable([["capability", "items", "mean [95%]", ""], ...rows]).join("\n");
}
