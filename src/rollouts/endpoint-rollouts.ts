import { existsSync } from "node:fs";

import { answererName } from "../endpoint/answer-key.ts";
import type { PaidAnswer } from "../endpoint/answer-lines.ts";
import type { AnswerStore } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import { EndpointFault } from "../endpoint/endpoint-fault.ts";
import { type TokenCount, withCounts } from "../endpoint/money.ts";
import { writeJsonLines } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { mapOrdered } from "../util/map-ordered.ts";
import type { JobOptions } from "../util/progress.ts";
import { VERSION } from "../util/version.ts";
import {
  type CameFromEndpoint,
  createEndpointCounter,
  type EndpointRolloutCounts,
} from "./endpoint-counts.ts";
import {
  type EndpointSampling,
  requestFor,
  type WantedSample,
  wantedSamples,
} from "./endpoint-requests.ts";
import {
  type EndpointManifest,
  ROLLOUT_MANIFEST,
  rolloutManifestPath,
} from "./rollout-manifest.ts";
import { type Rollout, rolloutId } from "./rollouts.ts";
import { expectSameSettings } from "./same-settings.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

export interface EndpointRolloutsOptions extends JobOptions, EndpointSampling {
  /** The rollout file, .jsonl. */
  readonly out: string;
  readonly asker: Asker;
  /** Every answer goes in before it counts; samples that are in it are not asked for. */
  readonly store: AnswerStore;
  /** Ask again, once, for samples whose stored answers have no text. Default false. */
  readonly isAnew?: boolean | undefined;
}

/** Samples under way and not yet written, at most. */
const WINDOW = 1024;

/**
 * Samples responses from an endpoint and writes them as `generateRollouts` does, prompt by prompt, sample by sample. A sample that got no
 * answer is left out and counted with its cause; the same call asks for it again. So is an answer without a text, which is paid for and
 * asked for again only with `isAnew`. The manifest beside the file says how the rollouts were made and what failed. Throws ConfigError where two prompts have one scenario and variant or `out` is another file
 * than this call's, and what the asker throws where the endpoint answers nothing.
 */
export async function generateFromEndpoint(
  prompts: readonly ScenarioPrompt[],
  options: EndpointRolloutsOptions,
): Promise<EndpointRolloutCounts> {
  const { out, samples, signal, progress } = options;
  checkNames(prompts);
  const settings = describe(prompts, options);
  await expectOwn(out, settings);
  const counter = createEndpointCounter();
  const total = prompts.length * samples;
  let done = 0;
  const one = async (wanted: WantedSample, inner: AbortSignal): Promise<Sampled> => {
    const sampled = await sampleOne(wanted, options, inner);
    progress?.update(++done, total);
    return sampled;
  };
  const rows = async function* (): AsyncGenerator<Rollout> {
    for await (const sampled of mapOrdered(
      wantedSamples(prompts, samples),
      { window: WINDOW, signal },
      one,
    )) {
      if ("failed" in sampled) {
        counter.addFailed(sampled.failed, sampled.wanted.prompt, sampled.wanted.sample);
        continue;
      }
      counter.add(sampled);
      yield sampled.rollout;
    }
  };
  await writeJsonLines(out, rows());
  const counts = counter.counts();
  const { rollouts, estimated, failed, leftOut } = counts;
  await ROLLOUT_MANIFEST.write(rolloutManifestPath(out), {
    ...settings,
    version: VERSION,
    rollouts,
    estimated,
    failed,
    leftOut: Object.keys(leftOut).length === 0 ? undefined : leftOut,
    said:
      options.asker.counts.said.size === 0
        ? undefined
        : Object.fromEntries(options.asker.counts.said),
    absent: counter.absent,
  });
  progress?.end();
  return counts;
}

type Sampled = CameFromEndpoint | { readonly failed: string; readonly wanted: WantedSample };

async function sampleOne(
  wanted: WantedSample,
  options: EndpointRolloutsOptions,
  signal: AbortSignal,
): Promise<Sampled> {
  const { asker, store } = options;
  const { request, key } = requestFor(wanted, asker.endpoint, options);
  const stored = chosenAnswer(await store.answers(key), options);
  if (stored !== undefined) return toSampled(wanted, stored, true);
  const onBroken = (taken: TokenCount): Promise<void> => store.appendBroken(key, taken);
  try {
    const said = await asker.ask(request, asker.allowance(), { signal, onBroken });
    const answer = withCounts(request, said);
    await store.append(key, answer);
    return toSampled(wanted, answer, false);
  } catch (error) {
    if (!(error instanceof EndpointFault)) throw error;
    return { failed: error.what, wanted };
  }
}

/** The stored answer that a sample is made of: the first that is not without a text. Undefined where one is to be asked for. */
export function chosenAnswer(
  stored: readonly PaidAnswer[],
  { isAnew = false }: Pick<EndpointRolloutsOptions, "isAnew">,
): PaidAnswer | undefined {
  return stored.find((answer) => !isWithoutText(answer)) ?? (isAnew ? undefined : stored[0]);
}

const isWithoutText = ({ text, finish }: PaidAnswer): boolean =>
  finish !== "filtered" && text.trim() === "";

function toSampled(wanted: WantedSample, answer: PaidAnswer, isResumed: boolean): Sampled {
  const { text, instead, finish, completionTokens, isEstimated = false, reason, leftOut } = answer;
  if (finish === "filtered") return { failed: "answer filtered", wanted };
  if (isWithoutText(answer)) {
    return { failed: `answer without text${instead === undefined ? "" : `: ${instead}`}`, wanted };
  }
  const { prompt: named, sample } = wanted;
  const { scenario, variant, prompt, group, tags } = named;
  const id = rolloutId(named, sample);
  const tokens = Math.round(completionTokens ?? 0);
  const place = { id, scenario, variant, sample };
  const said = { prompt, response: text, finish: finish === "refused" ? "stop" : finish } as const;
  const rollout = { ...place, ...said, tokens, group, tags };
  return { rollout, isResumed, isEstimated, reason, leftOut };
}

function checkNames(prompts: readonly ScenarioPrompt[]): void {
  if (prompts.length === 0) throw new ConfigError("generate: expected prompts, got none");
  const seen = new Set<string>();
  for (const { scenario, variant } of prompts) {
    const name = JSON.stringify([scenario, variant]);
    if (!seen.has(name)) seen.add(name);
    else
      throw new ConfigError(`scenario and variant ${name}: there is another prompt of that name`);
  }
}

/** Throws ConfigError where `out` or its manifest is there and was not made with `settings`. */
async function expectOwn(out: string, settings: ReturnType<typeof describe>): Promise<void> {
  const manifest = rolloutManifestPath(out);
  const there = [out, manifest].find((each) => existsSync(each));
  if (there !== undefined) {
    expectSameSettings(there, await ROLLOUT_MANIFEST.find(manifest), settings);
  }
}

/** What the rollouts follow from. */
function describe(
  prompts: readonly ScenarioPrompt[],
  { asker, samples, maxTokens, temperature, topP, seed }: EndpointRolloutsOptions,
): Pick<EndpointManifest, "kind" | "baseUrl" | "model" | "promptsHash" | "prompts" | "sampling"> {
  const { baseUrl, model } = answererName(asker.endpoint);
  return {
    kind: "endpoint-rollouts",
    baseUrl,
    model,
    promptsHash: hashValue(prompts),
    prompts: prompts.length,
    sampling: { samples, maxTokens, temperature, topP: topP ?? null, seed },
  };
}
