import type { AttributionMethod } from "../../attribution/method.ts";
import { describeCounts } from "../../endpoint/describe-counts.ts";
import type { PaidAsking } from "../../endpoint/paid-asking.ts";
import type { JudgeUsage } from "../../judge/llm-judge-options.ts";
import { ConfigError } from "../../util/errors.ts";
import { openAsking } from "../judging/open-asker.ts";
import { summaryOf } from "../judging/open-judge.ts";
import type { MethodChoice } from "../settings/methods.ts";
import type { LlmSummary } from "../show/llm-usage.ts";
import type { Work } from "../verb.ts";

/** The endpoint that a method asks; disposing of it closes the answers that are kept. */
export interface MethodEndpoint extends AsyncDisposable {
  readonly source: PaidAsking;
  /** What asking came to, with what the method says of it. */
  summary(usage: Readonly<JudgeUsage>): LlmSummary;
  /** The same in words, where the method did not end. */
  lines(): readonly string[];
}

/** Opens the endpoint of a use of a method; sends nothing yet. Undefined where it has none. Throws ConfigError where there is no place for the answers. */
export async function openMethodEndpoint(
  { serves }: Pick<AttributionMethod, "serves">,
  { endpoint, maxCost }: MethodChoice,
  work: Pick<Work, "owner" | "cost" | "note" | "isForced"> & {
    readonly out: { readonly answers: string | undefined };
  },
): Promise<MethodEndpoint | undefined> {
  if (endpoint === undefined) return undefined;
  const { answers } = work.out;
  if (answers === undefined) {
    throw new ConfigError(
      "answers: expected a file to keep paid answers in, or out, beside which they are kept, got neither",
    );
  }
  const setting = "method.endpoint";
  const asking = await openAsking(endpoint, answers, { ...work, setting, serves });
  return {
    source: { ...asking, maxCost, isAnew: work.isForced },
    summary: (usage) => summaryOf(asking, usage, endpoint),
    lines: () => describeCounts(asking.asker.counts),
    [Symbol.asyncDispose]: () => asking[Symbol.asyncDispose](),
  };
}
