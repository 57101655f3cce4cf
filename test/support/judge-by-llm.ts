/** @file Judging by an endpoint, as several tests do. */
import { openAnswerStore, type StoreTotals } from "../../src/endpoint/answer-store.ts";
import { type AskCounts, createAsker, type RetrySettings } from "../../src/endpoint/asker.ts";
import { openChatEndpoint } from "../../src/endpoint/chat-endpoint.ts";
import { costOf } from "../../src/endpoint/money.ts";
import type { RequestLimits } from "../../src/endpoint/request-gate.ts";
import type { RolloutWithPrompt } from "../../src/judge/judge.ts";
import type { JudgeUsage, LlmJudgeOptions } from "../../src/judge/llm-judge-options.ts";
import { createLlmJudge } from "../../src/judge/llm-judge.ts";
import { readRubric } from "../../src/judge/rubric.ts";
import type { Verdict } from "../../src/judge/verdict.ts";

/** Every third one has the word "yes". */
export const numberedRollouts = (count: number): RolloutWithPrompt[] =>
  Array.from({ length: count }, (_, sample) => ({
    id: `a/base/${sample}`,
    scenario: "a",
    variant: "base",
    sample,
    prompt: [{ role: "user", content: "Please." }],
    response: `Number ${sample}: ${sample % 3 === 0 ? "yes" : "no"}.`,
  }));

export interface JudgeSettings extends Partial<LlmJudgeOptions>, RetrySettings, RequestLimits {
  readonly url: string;
  /** The answer store. */
  readonly path: string;
  readonly timeoutMs?: number;
  readonly apiKey?: string;
  readonly signal?: AbortSignal;
}

export interface Judged {
  readonly verdicts: readonly Verdict[];
  readonly usage: Readonly<JudgeUsage>;
  readonly requests: number;
  readonly counts: AskCounts;
  readonly totals: Readonly<StoreTotals>;
}

export async function judgeByLlm(
  items: readonly RolloutWithPrompt[],
  settings: JudgeSettings,
): Promise<Judged> {
  const { url, path, timeoutMs = 60_000, apiKey, signal, ...rest } = settings;
  const endpoint = openChatEndpoint({ baseUrl: url, model: "m", timeoutMs, apiKey });
  await using store = await openAnswerStore(path, (tokens) => costOf(tokens, rest.prices));
  const asker = createAsker(endpoint, { firstDelayMs: 2, ...rest });
  const llm = createLlmJudge({ rubric: await readRubric("harm"), asker, store, ...rest });
  const verdicts: Verdict[] = [];
  const options = signal === undefined ? {} : { signal };
  for await (const verdict of llm.judge(items, options)) verdicts.push(verdict);
  const { counts } = asker;
  const totals = { ...store.totals };
  return { verdicts, usage: llm.usage, requests: counts.requests, counts, totals };
}
