import { describeCounts } from "../../endpoint/describe-counts.ts";
import type { EndpointSampling } from "../../rollouts/endpoint-requests.ts";
import {
  type EndpointRolloutsResult,
  generateFromEndpoint,
} from "../../rollouts/endpoint-rollouts.ts";
import { estimateRollouts, type RequestsEstimate } from "../../rollouts/estimate-rollouts.ts";
import { removeRollouts } from "../../rollouts/rollout-sink.ts";
import type { ScenarioPrompt } from "../../rollouts/scenarios.ts";
import { ConfigError } from "../../util/errors.ts";
import { printable } from "../../util/text-table.ts";
import { noting, openAsking, pricesOf, readAnswers } from "../judging/open-asker.ts";
import { formatAsking } from "../show/llm-usage.ts";
import type { Work } from "../verb.ts";
import type { GenerateSettings } from "./settings.ts";

/** Rollouts of an endpoint, and what asking it took. */
export interface SampledThere extends EndpointRolloutsResult {
  readonly out: string;
  readonly requests: number;
  readonly answered: number;
  readonly faults: Readonly<Record<string, number>>;
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
  const { requests, answers: answered, faults } = asker.counts;
  return { out, ...result, requests, answered, faults: Object.fromEntries(faults) };
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
export function formatSamplingEstimate(estimate: RequestsEstimate): string {
  const { rollouts, requests, cached } = estimate;
  return [
    `${rollouts} rollouts: ${requests} requests, ${cached} answered already`,
    ...formatAsking(estimate),
  ].join("\n");
}
