/** @file Rollouts of a checkpoint that is served behind an OpenAI-compatible endpoint. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";

import {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "../../endpoint/answer-store.ts";
import { describeCounts } from "../../endpoint/describe-counts.ts";
import { costOf } from "../../endpoint/money.ts";
import { estimatePromptTokens } from "../../endpoint/token-estimate.ts";
import { endpointLedger } from "../../judge/endpoint-ledger.ts";
import { writeVerdicts } from "../../judge/verdict.ts";
import { endpointRequests, type EndpointSampling } from "../../rollouts/endpoint-requests.ts";
import { chosenAnswer, generateFromEndpoint } from "../../rollouts/endpoint-rollouts.ts";
import { readAbsentRollouts, rolloutManifestPath } from "../../rollouts/rollout-manifest.ts";
import { type ScenarioPrompt, scenarioPrompts } from "../../rollouts/scenarios.ts";
import { inSetting } from "../../util/in-setting.ts";
import type { EndpointModel } from "../models.ts";
import type { AskingEstimate, EstimatePlace, Stage, StageWork } from "../stage.ts";
import { ABSENT_NAME } from "./absent-rollouts.ts";
import { type PlannedRolloutsOf, ROLLOUTS_NAME, whatToSample } from "./planned-rollouts.ts";

/**
 * Responses of a served checkpoint to every scenario in every variant. Samples that got no answer are in `absent.jsonl` with their
 * cause; they have no verdict either.
 */
export function endpointRolloutsStage(model: EndpointModel, of: PlannedRolloutsOf): Stage {
  const { scenarios, variants } = whatToSample(of);
  const sampling = samplingOf(of);
  const prompts = scenarioPrompts(scenarios, variants);
  return {
    kind: of.kind,
    name: model.name,
    version: 7,
    settings: { ...sampling, variants },
    inputs: { model: model.input, scenarios: { content: scenarios.sha256 } },
    asides: [rolloutManifestPath(ROLLOUTS_NAME)],
    canResume: true,
    run: (work) =>
      inSetting(`sampling.endpoints.${model.name}`, () => sample(model, work, sampling, prompts)),
    estimate: (place) => estimate(model, place, sampling, prompts),
  };
}

function samplingOf(of: PlannedRolloutsOf): EndpointSampling {
  const { temperature, topP, maxTokens, seed } = of.experiment.sampling;
  return {
    samples: whatToSample(of).rollouts,
    maxTokens,
    temperature,
    ...(topP === 1 ? {} : { topP }),
    seed,
  };
}

async function sample(
  model: EndpointModel,
  { cache, cost, directory, isForced, progress, signal }: StageWork,
  sampling: EndpointSampling,
  prompts: readonly ScenarioPrompt[],
): Promise<void> {
  const asker = model.endpoint.openAsker();
  await mkdir(cache, { recursive: true });
  await using store = await openStore(model, cache, { owner: basename(directory) });
  cost.watchEndpoint(endpointLedger(asker, store, model.endpoint.prices !== undefined));
  const out = join(directory, ROLLOUTS_NAME);
  const shown = progress("responses");
  const result = generateFromEndpoint(prompts, {
    ...sampling,
    out,
    asker,
    store,
    isAnew: isForced,
    progress: shown,
    signal,
  });
  await result.catch((error: unknown) => {
    for (const line of describeCounts(asker.counts)) shown.note(line);
    throw error;
  });
  // The manifest says the same, and does not count as the stage's result: it has the endpoint's address.
  await writeVerdicts(join(directory, ABSENT_NAME), await readAbsentRollouts(out));
}

async function estimate(
  model: EndpointModel,
  { cache, isForced }: EstimatePlace,
  sampling: EndpointSampling,
  prompts: readonly ScenarioPrompt[],
): Promise<AskingEstimate> {
  await using store = existsSync(storePath(model, cache))
    ? await openStore(model, cache, { isReadOnly: true })
    : undefined;
  const counts = { requests: 0, promptTokens: 0 };
  for (const { key, request } of endpointRequests(prompts, model.settings, sampling)) {
    const stored = (await store?.answers(key)) ?? [];
    if (chosenAnswer(stored, { isAnew: isForced }) !== undefined) continue;
    counts.requests++;
    counts.promptTokens += estimatePromptTokens(request.messages);
  }
  const completionTokens = counts.requests * sampling.maxTokens;
  const { prices } = model.endpoint;
  const tokens = { promptTokens: counts.promptTokens, completionTokens };
  const money = prices === undefined ? undefined : costOf(tokens, prices);
  return { ...counts, completionTokens, money, isSampled: true };
}

/** One for each endpoint and model: what is stored says the model's name only. */
function storePath({ endpointHash }: EndpointModel, cache: string): string {
  return join(cache, `rollout-answers-${endpointHash.slice(0, 12)}.jsonl`);
}

function openStore(
  model: EndpointModel,
  cache: string,
  options: AnswerStoreOptions,
): Promise<AnswerStore> {
  const price = (answer: Parameters<typeof costOf>[0]): number =>
    costOf(answer, model.endpoint.prices);
  return openAnswerStore(storePath(model, cache), price, options);
}
