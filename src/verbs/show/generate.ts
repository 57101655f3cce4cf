import { describeCounts } from "../../endpoint/describe-counts.ts";
import type { RolloutsEstimate } from "../../rollouts/estimate-rollouts.ts";
import { rolloutManifestPath } from "../../rollouts/rollout-manifest.ts";
import { printable } from "../../util/text-table.ts";
import type { SampledHere } from "../generate/sample-here.ts";
import type { SampledThere } from "../generate/sample-there.ts";
import { formatAsking } from "./llm-usage.ts";

/** What sampling a checkpoint came to. */
export function formatSampledHere({
  out,
  seconds,
  rollouts,
  resumedRollouts,
  work: { sampledTokens, promptTokens },
  manifest,
}: SampledHere): string {
  return [
    `${out}: ${rollouts} rollouts of ${manifest.prompts} prompts, manifest ${rolloutManifestPath(out)}`,
    ...(resumedRollouts > 0 ? [`${resumedRollouts} rollouts were there already`] : []),
    `${sampledTokens} tokens sampled in ${seconds.toFixed(1)} s (${(sampledTokens / seconds).toFixed(1)} tokens/s), ${promptTokens} prompt tokens`,
  ].join("\n");
}

/** What sampling from an endpoint came to. */
export function formatSampledThere(result: SampledThere): string {
  const { out, rollouts, resumed, estimated, failed, requests, answered, faults } = result;
  const counts = { requests, answers: answered, faults: new Map(Object.entries(faults)) };
  return [
    `${out}: ${rollouts} rollouts, ${resumed} of them there already`,
    ...Object.entries(failed).map(([cause, each]) => `${each} failed: ${printable(cause)}`),
    ...describeCounts({ ...counts, beyondBudget: 0 }),
    ...(estimated === 0
      ? []
      : [`the tokens of ${estimated} are estimated: the endpoint did not say`]),
  ].join("\n");
}

/** What sampling from an endpoint would take. */
export function formatSamplingEstimate(estimate: RolloutsEstimate): string {
  const { rollouts, requests, cached } = estimate;
  return [
    `${rollouts} rollouts: ${requests} requests, ${cached} answered already`,
    ...formatAsking(estimate),
  ].join("\n");
}
