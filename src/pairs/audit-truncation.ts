import { wilsonShare } from "../stats/wilson.ts";
import type { TruncationReport } from "./audit-report.ts";
import type { PreferencePair } from "./preference-pair.ts";
import { responseText } from "./text-measures.ts";

/** English under today's tokenizers; code and other scripts have fewer. */
const CHARACTERS_PER_TOKEN = 4;

/** Tokens of a pair, the prompt counted once. */
export interface TokenCounts {
  readonly prompt: number;
  readonly chosen: number;
  readonly rejected: number;
  /** See RenderedExample. */
  readonly lostPromptTokens?: number | undefined;
  readonly holdsMarks?: boolean | undefined;
  readonly hidden?: readonly string[] | undefined;
}

/** Counts what a limit on prompt and response together does; estimates tokens where they are not counted. */
export function createTruncationCounter(
  maxTokens: number,
  isCounted: boolean,
): {
  add(pair: PreferencePair, counts: TokenCounts | undefined): void;
  report(): TruncationReport;
} {
  let pairs = 0;
  let tooLong = 0;
  let cut = 0;
  return {
    add(pair, counts) {
      if (isCounted && counts === undefined) return;
      const { prompt, chosen, rejected } = counts ?? estimateTokens(pair);
      pairs++;
      if (prompt >= maxTokens) tooLong++;
      else if (prompt + Math.max(chosen, rejected) > maxTokens) cut++;
    },
    report: () => ({
      maxTokens,
      basis: isCounted ? "tokens" : "estimate",
      promptTooLong: wilsonShare(tooLong, pairs),
      responseCut: wilsonShare(cut, pairs),
    }),
  };
}

function estimateTokens(pair: PreferencePair): TokenCounts {
  const [prompt, chosen, rejected] = [pair.prompt, pair.chosen, pair.rejected].map((turns) =>
    Math.ceil(responseText(turns).length / CHARACTERS_PER_TOKEN),
  );
  return { prompt: prompt!, chosen: chosen!, rejected: rejected! };
}
