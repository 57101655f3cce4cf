import type { MembershipFigures } from "../pairs/audit-membership.ts";
import { clusteredMean, clusteredShare, type GroupedEstimate } from "../stats/clustered-mean.ts";
import type { MeasuredPair } from "./measure-pairs.ts";

/** A pair's value of something. */
export type Measure = (pair: MeasuredPair) => number;

/** How much more training added to log π(chosen) than to log π(rejected), in nats: the implicit reward with β = 1. */
export const margin: Measure = ({ chosenDrift, rejectedDrift }) => chosenDrift - rejectedDrift;

/** The same with each log-probability divided by its number of tokens. */
export const marginPerToken: Measure = (pair) => chosenPerToken(pair) - rejectedPerToken(pair);

const chosenPerToken: Measure = ({ chosenDrift, chosenTokens }) => chosenDrift / chosenTokens;
const rejectedPerToken: Measure = ({ rejectedDrift, rejectedTokens }) =>
  rejectedDrift / rejectedTokens;

/** 1 above 0, 0 below, 1/2 at 0. */
const isPositive =
  (of: Measure): Measure =>
  (pair) =>
    (Math.sign(of(pair)) + 1) / 2;

/**
 * Figures of one pair or more; pairs of one prompt are no independent draws. Accuracies and `displaced` are shares from 0 to 1, margin and drifts
 * nats for a response or for one of its tokens, CHES inner products of hidden states, which have no unit. Intervals are those of
 * clusteredShare and clusteredMean.
 *
 * Worked: of two pairs of one prompt the chosen responses gain 1 nat each, the rejected ones 0 and -2; of a pair of another prompt -1 and -6.
 * The margins 1, 3 and 5 have the mean 3 nats [-13.9, 19.9], all are above 0 (1 [0.01, 1]), and one chosen response of three is displaced.
 */
export function membershipFigures(pairs: readonly MeasuredPair[]): MembershipFigures {
  const numbers = new Map<string, number>();
  const groups = pairs.map(({ prompt }) => {
    const number = numbers.get(prompt) ?? numbers.size;
    numbers.set(prompt, number);
    return number;
  });
  const mean = (of: Measure): GroupedEstimate => clusteredMean(pairs.map(of), groups);
  const share = (of: Measure): GroupedEstimate => clusteredShare(pairs.map(isPositive(of)), groups);
  return {
    pairs: pairs.length,
    prompts: numbers.size,
    accuracy: share(margin),
    accuracyPerToken: share(marginPerToken),
    margin: mean(margin),
    chosen: { perResponse: mean((pair) => pair.chosenDrift), perToken: mean(chosenPerToken) },
    rejected: {
      perResponse: mean((pair) => pair.rejectedDrift),
      perToken: mean(rejectedPerToken),
    },
    displaced: share((pair) => -pair.chosenDrift),
    ches: { plain: mean((pair) => pair.ches), normalised: mean((pair) => pair.chesNormalised) },
  };
}
