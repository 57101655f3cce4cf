import {
  KIND_FEATURES,
  type MembershipComparison,
  type MembershipFigures,
  type Separation,
} from "../pairs/audit-membership.ts";
import { type EqualScores, estimateAuroc } from "../ranking/quality-figures.ts";
import { shareDifference } from "../stats/clustered-mean.ts";
import type { MeasuredPair } from "./measure-pairs.ts";
import { margin, marginPerToken, type Measure } from "./membership-figures.ts";

/** The pairs of one side with their figures. */
export interface ComparedSide {
  readonly pairs: readonly MeasuredPair[];
  readonly figures: Pick<MembershipFigures, "accuracy" | "accuracyPerToken">;
}

const beforePerToken: Measure = ({ chosenBefore, chosenTokens }) => chosenBefore / chosenTokens;

/** What M1 has no part in. */
const KIND: { readonly [F in (typeof KIND_FEATURES)[number]]: Measure } = {
  "chosen length": ({ chosenTokens }) => chosenTokens,
  "rejected length": ({ rejectedTokens }) => rejectedTokens,
  "length difference": ({ chosenTokens, rejectedTokens }) => chosenTokens - rejectedTokens,
  "chosen log-probability per token": beforePerToken,
  "margin per token": (pair) => beforePerToken(pair) - pair.rejectedBefore / pair.rejectedTokens,
};

/**
 * What sets the claimed pairs apart from held-out ones: how often M1 prefers the chosen response, and by how much. A model that only has the
 * taste of the pairs has it for both; one that was trained on the claimed ones has it for these by more.
 */
export function compareMembership(
  claimed: ComparedSide,
  heldOut: ComparedSide,
): MembershipComparison {
  const between = (of: Measure): Separation => separation(claimed.pairs, heldOut.pairs, of);
  return {
    accuracy: shareDifference(claimed.figures.accuracy, heldOut.figures.accuracy),
    accuracyPerToken: shareDifference(
      claimed.figures.accuracyPerToken,
      heldOut.figures.accuracyPerToken,
    ),
    separation: between(margin),
    separationPerToken: between(marginPerToken),
    kind: KIND_FEATURES.map((feature) => ({ feature, ...between(KIND[feature]) })),
  };
}

/**
 * The area under the ROC curve of the claimed prompts against the held-out ones, each prompt once by the mean over its pairs, so that the units
 * are independent. Claimed means 3 and 1 against 2: 0.5. Both sides have a pair at least.
 */
export function separation(
  claimed: readonly MeasuredPair[],
  heldOut: readonly MeasuredPair[],
  of: Measure,
): Separation {
  const [ours, theirs] = [promptMeans(claimed, of), promptMeans(heldOut, of)];
  const groups = new Map<number, { hits: number; others: number }>();
  const at = (value: number): { hits: number; others: number } => {
    const group = groups.get(value) ?? { hits: 0, others: 0 };
    groups.set(value, group);
    return group;
  };
  for (const value of ours) at(value).hits++;
  for (const value of theirs) at(value).others++;
  const falling = [...groups].toSorted(([a], [b]) => b - a);
  return estimateAuroc({
    groups: falling.map(([, group]): EqualScores => group),
    planted: ours.length,
    others: theirs.length,
  });
}

function promptMeans(pairs: readonly MeasuredPair[], of: Measure): readonly number[] {
  const byPrompt = new Map<string, { sum: number; count: number }>();
  for (const pair of pairs) {
    const { sum, count } = byPrompt.get(pair.prompt) ?? { sum: 0, count: 0 };
    byPrompt.set(pair.prompt, { sum: sum + of(pair), count: count + 1 });
  }
  return [...byPrompt.values()].map(({ sum, count }) => sum / count);
}
