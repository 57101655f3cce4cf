import { describeCounts } from "../../endpoint/describe-counts.ts";
import type { EndpointRolloutCounts } from "../../rollouts/endpoint-counts.ts";
import type { EndpointSampling } from "../../rollouts/endpoint-requests.ts";
import { generateFromEndpoint } from "../../rollouts/endpoint-rollouts.ts";
import { estimateRollouts, type RequestsEstimate } from "../../rollouts/estimate-rollouts.ts";
import { removeRollouts } from "../../rollouts/rollout-sink.ts";
import type { ScenarioPrompt } from "../../rollouts/scenarios.ts";
import { ConfigError } from "../../util/errors.ts";
import { printable } from "../../util/text-table.ts";
import { noting, openAsking, pricesOf, readAnswers } from "../judging/open-asker.ts";
import { formatAsking, mapsOf } from "../show/llm-usage.ts";
import type { Work } from "../verb.ts";
import type { GenerateSettings } from "./settings.ts";

/** Rollouts of an endpoint, and what asking it took. */
export interface SampledThere extends EndpointRolloutCounts {
  readonly out: string;
  readonly requests: number;
  readonly answered: number;
  readonly faults: Readonly<Record<string, number>>;
  /** What the endpoint said when a request first failed, by cause. */
  readonly said: Readonly<Record<string, string>>;
  readonly temperature: number;
  /** The share of samples that may be missing. */
  readonly maxMissing: number;
}

/** Samples from an endpoint, whose answers are on disk before they count. */
export async function sampleThere(
  prompts: readonly ScenarioPrompt[],
  settings: GenerateSettings,
  work: Omit<Work, "out"> & { readonly out: string; readonly answers: string },
): Promise<SampledThere> {
  const { out, answers, isForced, signal, progress } = work;
  if (!out.endsWith(".jsonl")) {
    throw new ConfigError(
      `out: expected a name ending in .jsonl for rollouts of an endpoint, got "${out}"`,
    );
  }
  const endpoint = settings.endpoint!; // wayContradictions
  await using asking = await openAsking(endpoint, answers, work);
  const { asker, store } = asking;
  if (isForced) await removeRollouts(out);
  const sampled = generateFromEndpoint(prompts, {
    ...endpointSampling(settings),
    out,
    asker,
    store,
    isAnew: isForced,
    signal,
    progress: progress("rollouts"),
  });
  const result = await noting(sampled, () => describeCounts(asker.counts), work);
  const { requests, answers: answered, faults, said } = asker.counts;
  return {
    out,
    ...result,
    requests,
    answered,
    faults: Object.fromEntries(faults),
    said: Object.fromEntries(said),
    temperature: settings.temperature,
    maxMissing: endpoint.maxMissing,
  };
}

/** A share of 1 is left to the endpoint's default, which some know nothing but. */
function endpointSampling({
  rollouts,
  maxTokens,
  temperature,
  topP,
  seed,
}: GenerateSettings): EndpointSampling {
  return { samples: rollouts, maxTokens, temperature, topP: topP === 1 ? undefined : topP, seed };
}

/** What sampling from an endpoint would take, asking nothing. */
export async function estimateSampling(
  prompts: readonly ScenarioPrompt[],
  settings: GenerateSettings,
  { answers, isForced }: { readonly answers: string | undefined; readonly isForced: boolean },
): Promise<RequestsEstimate> {
  const { endpoint } = settings;
  if (endpoint === undefined) {
    throw new ConfigError("endpoint.baseUrl: expected one to estimate, got none", {
      hint: "Sampling a checkpoint on this machine asks nobody.",
    });
  }
  await using store = await readAnswers(endpoint, answers);
  return await estimateRollouts(prompts, endpointSampling(settings), {
    endpoint,
    store,
    prices: pricesOf(endpoint),
    isAnew: isForced,
  });
}

/** What sampling from an endpoint came to. */
export function formatSampledThere(result: SampledThere): string {
  const { out, rollouts, resumed, estimated, failed, requests, answered, cut } = result;
  return [
    `${out}: ${rollouts} rollouts, ${resumed} of them there already`,
    ...Object.entries(failed).map(([cause, each]) => `${each} failed: ${printable(cause)}`),
    ...describeCounts({ requests, answers: answered, ...mapsOf(result), beyondBudget: 0 }),
    ...(cut === 0 ? [] : [`${cut} were cut at their longest; a higher --max-tokens lets them end`]),
    ...(estimated === 0
      ? []
      : [`the tokens of ${estimated} are estimated: the endpoint did not say`]),
  ].join("\n");
}

/** What sampling from an endpoint would take. */
export function formatSamplingEstimate(estimate: RequestsEstimate): string {
  const { rollouts, requests, cached } = estimate;
  return [
    `${rollouts} rollouts: ${requests} requests, ${cached} answered already`,
    ...formatAsking(estimate),
  ].join("\n");
}
