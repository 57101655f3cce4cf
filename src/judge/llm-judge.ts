import { answerText } from "../format/thinking-marks.ts";
import { hashValue } from "../util/hash.ts";
import { mapOrdered } from "../util/map-ordered.ts";
import type { JobOptions } from "../util/progress.ts";
import {
  askUntilReadable,
  type Books,
  countOutcome,
  openBooks,
  type Outcome,
  shareQuestions,
} from "./ask-judge.ts";
import { emptyCause } from "./empty-cause.ts";
import { type Judge, placeOf, type RolloutWithPrompt } from "./judge.ts";
import type { JudgeUsage, LlmJudgeOptions } from "./llm-judge-options.ts";
import { rubricRequest } from "./rubric-request.ts";
import type { Verdict } from "./verdict.ts";

export interface LlmJudge extends Judge<RolloutWithPrompt> {
  readonly usage: Readonly<JudgeUsage>;
}

/** Rollouts that are begun and not yet handed on: so many go past one that waits for its endpoint. */
const WINDOW = 1024;

/**
 * A judge that asks an LLM by a rubric. Text up to `</think>` is not judged. What gets no readable answer within its requests, or no
 * longer fits the budget, is missing with the cause; a fault never becomes a label. Throws ConfigError or RuntimeError where the
 * endpoint refuses everything; the answers so far stay in the store.
 */
export function createLlmJudge(options: LlmJudgeOptions): LlmJudge {
  const { rubric, asker, prices } = options;
  const books = openBooks(options);
  const { usage } = books;
  const decide = createDecider(options, books);
  const name = `${rubric.name}@${hashValue({ rubric, model: asker.endpoint.model }).slice(0, 8)}`;
  return {
    name,
    behavior: rubric.behavior,
    usage,
    async *judge(rollouts, { signal, progress }: JobOptions = {}): AsyncGenerator<Verdict> {
      let done = 0;
      const one = async (rollout: RolloutWithPrompt, inner: AbortSignal): Promise<Verdict> => {
        const outcome = await decide(rollout, inner);
        const { parsed, raw, cost } = outcome;
        countOutcome(usage, outcome);
        progress?.update(++done, undefined);
        const {
          isFinal: _,
          isSaid: __,
          ...said
        } = { isFinal: undefined, isSaid: undefined, ...parsed };
        return { ...placeOf(rollout, name), ...said, raw, cost: prices && cost };
      };
      yield* mapOrdered(rollouts, { window: WINDOW, signal }, one);
    },
  };
}

/** Decides about rollouts; those with the same text at the same time share their requests. */
function createDecider(
  options: LlmJudgeOptions,
  books: Books,
): (rollout: RolloutWithPrompt, signal: AbortSignal) => Promise<Outcome> {
  const { rubric, asker, temperature = 0 } = options;
  const settings = { endpoint: asker.endpoint, temperature, maxTokens: rubric.maxTokens };
  const ask = shareQuestions((question) => askUntilReadable(options, books, question));
  return async (rollout, signal) => {
    const response = answerText(rollout.response, rollout.opensThinking);
    if (response === "") {
      const missing = emptyCause(rollout.response);
      return { parsed: { missing, isFinal: true }, isCached: false, isEmpty: true };
    }
    const { messages, key } = rubricRequest(rubric, { prompt: rollout.prompt, response }, settings);
    return ask({ messages, key, signal });
  };
}
