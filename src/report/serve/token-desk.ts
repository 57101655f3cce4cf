/** @file Shades the tokens of pairs as they are asked for: the checkpoint is opened for the first, and closed when nobody has asked for a while. */
import type { EngineHost } from "../../engine/engine-host.ts";
import { isWhole } from "../pair-texts.ts";
import type { TokensAnswer } from "../report-source.ts";
import { openTokenShares, type OpenTokenShares, summedRanking } from "../token-shares.ts";
import type { RunSnapshot } from "./run-source.ts";
import type { PlacedText } from "./served-pairs.ts";

/** A checkpoint that nobody has asked for so long is closed. */
const IDLE_MS = 120_000;
/** Answers that are kept. */
const KEPT = 200;

export interface TokenDesk extends AsyncDisposable {
  shade(at: RunSnapshot, pair: PlacedText): Promise<TokensAnswer>;
}

/** One pair at a time: the engine takes all cores as it is. */
export function createTokenDesk(
  host: EngineHost | undefined,
  signal: AbortSignal | undefined,
): TokenDesk {
  const answers = new Map<string, TokensAnswer>();
  let open: { readonly stage: string; readonly shares: OpenTokenShares } | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const close = async (): Promise<void> => {
    clearTimeout(timer);
    const { shares } = open ?? {};
    open = undefined;
    await shares?.[Symbol.asyncDispose]();
  };
  const compute = async (
    { run, rankings }: RunSnapshot,
    { text, winners }: PlacedText,
  ): Promise<TokensAnswer> => {
    const summed = summedRanking(rankings);
    if (host === undefined) return { absent: "tokens are not shaded here" };
    if (summed === undefined)
      return { absent: "no ranking is by a score that is a sum over tokens" };
    if (text.cut > 0) return { absent: "the pair is too long to be shown whole" };
    if (!isWhole(text)) return { absent: "the pair says more than its texts" };
    const key = JSON.stringify([summed.path, text.id]);
    const known = answers.get(key);
    if (known !== undefined) return known;
    if (open !== undefined && open.stage !== summed.path) await close();
    if (open === undefined) {
      const shares = await openTokenShares(run, summed, host);
      if (typeof shares === "string") return { absent: shares };
      open = { stage: summed.path, shares };
    }
    const winner = winners[rankings.indexOf(summed)];
    const found = await open.shares.of([{ ...text, winner }], { signal });
    clearTimeout(timer);
    timer = setTimeout(() => void enqueue(close), IDLE_MS).unref();
    if (typeof found === "string") return { absent: found };
    const tokens = found.get(text.id);
    const answer: TokensAnswer =
      tokens === undefined ? { absent: "the pair has no vector" } : { tokens };
    answers.set(key, answer);
    for (const old of [...answers.keys()].slice(0, -KEPT)) answers.delete(old);
    return answer;
  };
  const enqueue = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work);
    queue = next.catch(() => {});
    return next;
  };
  return {
    shade: (at, pair) => enqueue(() => compute(at, pair)),
    [Symbol.asyncDispose]: () => enqueue(close),
  };
}
