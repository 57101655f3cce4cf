/** @file What a ranking by a method that asks an endpoint would take. */
import {
  candidateRows,
  type CandidateRanking,
  findCandidates,
} from "../../attribution/candidates.ts";
import type { AttributionMethod, OwnAnswers, Sources } from "../../attribution/method.ts";
import { readPairRows, storeRows } from "../../attribution/pair-rows.ts";
import { answererName } from "../../endpoint/answer-key.ts";
import type { PairSet } from "../../pairs/open-pairs.ts";
import type { RequestsEstimate } from "../../rollouts/estimate-rollouts.ts";
import type { VectorStore } from "../../store/open-store.ts";
import { readStoreTable } from "../../store/read-shard.ts";
import { ConfigError } from "../../util/errors.ts";
import { pricesOf, readAnswers } from "../judging/open-asker.ts";
import { type MethodChoice, ownSettings } from "../settings/methods.ts";
import { formatAsking } from "../show/llm-usage.ts";

/** The inputs of a ranking that questions are made of. */
export interface AskedInputs {
  readonly store?: VectorStore | undefined;
  readonly pairs?: PairSet | undefined;
  readonly responses?: Sources["responses"] | undefined;
  readonly rollouts?: OwnAnswers | undefined;
  readonly candidates?: CandidateRanking | undefined;
}

interface EstimateSettings {
  readonly choice: MethodChoice;
  readonly top: number | undefined;
  readonly answers: string | undefined;
  readonly isForced: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Throws ConfigError for a method that asks no endpoint. */
export async function estimateRanking(
  method: AttributionMethod,
  { store, pairs, responses, candidates }: AskedInputs,
  { choice, top, answers, isForced, signal }: EstimateSettings,
): Promise<RequestsEstimate> {
  const { endpoint } = choice;
  if (method.estimate === undefined || endpoint === undefined || pairs === undefined) {
    throw new ConfigError(
      `method.name: expected one that asks an endpoint to estimate its cost, got ${method.name}`,
      { hint: "Nothing is paid for this method: run it." },
    );
  }
  const all =
    store === undefined
      ? await readPairRows(pairs, { signal })
      : storeRows(await readStoreTable(store));
  const rows =
    candidates === undefined ? all : candidateRows(all, findCandidates(all, candidates, top!)).rows; // the verb's check
  await using kept = await readAnswers(endpoint, answers);
  return await method.estimate({ rows, pairs, responses }, ownSettings(choice), {
    endpoint: answererName(endpoint),
    store: kept,
    prices: pricesOf(endpoint),
    isAnew: isForced,
    signal,
  });
}

export function formatRankingEstimate(estimate: RequestsEstimate): string {
  const { rollouts, cached, requests } = estimate;
  return [
    `${rollouts} pairs: ${requests} requests, ${cached} in the cache or repeated`,
    ...formatAsking(estimate),
  ].join("\n");
}
