import type {
  Membership,
  MembershipComparison,
  MembershipFigures,
  Separation,
} from "../pairs/audit-membership.ts";
import type { GroupedEstimate } from "../stats/clustered-mean.ts";
import { formatEstimate, percent, withInterval } from "../util/figures.ts";

/** An accuracy or area this far from 1/2 would be a sign: to say that there is none, its interval has to be nearer. */
const SIGN = 0.1;

/** What the verdict rests on; without held-out pairs the claimed side alone. */
export interface MembershipEvidence {
  readonly claimed: Pick<MembershipFigures, "accuracy">;
  readonly heldOut?: Pick<MembershipFigures, "accuracy"> | undefined;
  readonly comparison?:
    | Pick<MembershipComparison, "separation" | "separationPerToken" | "kind">
    | undefined;
}

/**
 * Whether M1 was trained on the claimed pairs. *trained*: it prefers their chosen responses, and by larger margins than on held-out pairs,
 * both for whole responses and per token. *swapped*: the same of the rejected ones. *taste*: it prefers the same side of both kinds of
 * pairs, with margins alike. *none*: neither. *unclear*: too few pairs, none held out, or held-out ones of another kind, which some property
 * that M1 has no part in tells apart as well as its margins do. All by 95% intervals.
 *
 * The margin is DPO's implicit reward (Rafailov et al. 2023, arXiv 2305.18290); to compare members with others by a likelihood ratio to a model
 * that saw neither is the usual attack on membership, and that blind properties may do as well the usual objection to it (Das, Zhang and
 * Tramèr 2024, arXiv 2406.16201). The limits are ours; see docs/decisions.md, Membership.
 *
 * Worked: accuracy 0.93 [0.90, 0.96] on the claimed pairs and 0.55 [0.52, 0.58] on others, areas 0.80 [0.77, 0.83] for whole responses and per token,
 * and length that tells nothing (0.50 [0.47, 0.53]), are *trained*; with areas of 0.51 [0.48, 0.54] and both accuracies 0.9 it is *taste*.
 */
export function judgeMembership({
  claimed,
  heldOut,
  comparison,
}: MembershipEvidence): Membership["verdict"] {
  const taste = sideOf(claimed.accuracy);
  const shown = describeAccuracy(taste, claimed.accuracy, heldOut?.accuracy);
  const say = (kind: Membership["verdict"]["kind"], end: string): Membership["verdict"] => ({
    kind,
    sentence: `${shown}${end}`,
  });
  if (heldOut === undefined || comparison === undefined) {
    if (taste !== 0) {
      return say(
        "unclear",
        `; only the claimed side is known: can't tell whether it was trained on these pairs${swapped(taste)} or on others of the same taste.`,
      );
    }
    return isNearHalf(claimed.accuracy)
      ? say("none", ": no sign that M1 was trained on these pairs.")
      : say("unclear", ": can't tell, too few pairs.");
  }
  const { separation, separationPerToken } = comparison;
  const by = `(AUROC of the margins ${formatEstimate(separation)})`;
  const [whole, perToken] = [sideOf(separation), sideOf(separationPerToken)];
  if (whole !== perToken) {
    const told = `(${formatEstimate(separationPerToken)} per token)`;
    return say("unclear", `; can't tell: whole responses and tokens disagree ${by} ${told}.`);
  }
  const [blind] = blindTells(comparison);
  if (whole !== 0 && blind !== undefined) {
    return say(
      "unclear",
      `; can't tell: the held-out pairs are of another kind, ${blind.feature} alone tells them apart (AUROC ${formatEstimate(blind)}).`,
    );
  }
  if (whole !== 0 && whole === taste) {
    return say(
      whole > 0 ? "trained" : "swapped",
      `, by larger margins in the claimed ones ${by}: it was trained on them, or on a part of them${swapped(taste)}.`,
    );
  }
  if (whole !== 0) return say("unclear", `; can't tell: the margins alone differ ${by}.`);
  if (!isNearHalf(separation)) return say("unclear", `: can't tell, too few pairs ${by}.`);
  if (taste !== 0 && sideOf(heldOut.accuracy) === taste) {
    return say(
      "taste",
      `, by margins alike ${by}: it has the taste of these pairs, but no sign that it was trained on these in particular.`,
    );
  }
  return taste === 0 && isNearHalf(claimed.accuracy)
    ? say("none", ` ${by}: no sign that M1 was trained on these pairs.`)
    : say("unclear", ` ${by}: can't tell.`);
}

/** Properties that M1 has no part in and that set the claimed pairs apart at least as far as its margins do, the clearest first. */
function blindTells({
  separation,
  kind,
}: Pick<MembershipComparison, "separation" | "kind">): MembershipComparison["kind"] {
  const far = ({ value }: Separation): number => Math.abs(value - 0.5);
  return kind
    .filter((each) => sideOf(each) !== 0 && far(each) >= far(separation))
    .toSorted((a, b) => far(b) - far(a));
}

/** 1 where the interval lies above 1/2, -1 below, else 0. */
export function sideOf({ low, high }: Omit<GroupedEstimate, "value">): -1 | 0 | 1 {
  if (low === undefined || high === undefined) return 0;
  return low > 0.5 ? 1 : high < 0.5 ? -1 : 0;
}

const isNearHalf = ({ low, high }: Omit<GroupedEstimate, "value">): boolean =>
  low !== undefined && high !== undefined && low > 0.5 - SIGN && high < 0.5 + SIGN;

/** Both exchanges turn the sign of every margin, so that nothing tells them apart. */
const swapped = (taste: number): string =>
  taste < 0
    ? ", with chosen and rejected exchanged, or before and after given the wrong way round"
    : "";

function describeAccuracy(
  taste: number,
  claimed: GroupedEstimate,
  heldOut: GroupedEstimate | undefined,
): string {
  const show = (each: GroupedEstimate): string => {
    const { value, low, high } = taste < 0 ? opposite(each) : each;
    return withInterval(value, { low, high }, percent);
  };
  const side = taste < 0 ? "rejected" : "chosen";
  const held = heldOut === undefined ? "" : ` and in ${show(heldOut)} of the held-out ones`;
  return `M1 prefers the ${side} response in ${show(claimed)} of the claimed pairs${held}`;
}

const opposite = ({ value, low, high }: GroupedEstimate): GroupedEstimate => ({
  value: 1 - value,
  low: high === undefined ? undefined : 1 - high,
  high: low === undefined ? undefined : 1 - low,
});
