import type { Membership, MembershipSide } from "../pairs/audit-membership.ts";
import { formatEstimate } from "../util/figures.ts";
import { linesOf, printable } from "../util/text-table.ts";
import { sideOf } from "./judge-membership.ts";

/** Beyond this, an area of a property that M1 has no part in is worth a sentence. */
const NOTABLE = 0.05;

/** What must be known beside the verdict, one sentence each. */
export function membershipRemarks({
  claimed,
  heldOut,
  comparison,
  sources,
}: Omit<Membership, "remarks">): string[] {
  const apart = (comparison?.kind ?? []).filter(
    (each) => sideOf(each) !== 0 && Math.abs(each.value - 0.5) > NOTABLE,
  );
  const lonely = heldOut && sources.filter((each) => (each.claimed && each.heldOut) === undefined);
  return linesOf([
    unread("claimed", claimed),
    heldOut && [
      unread("held-out", heldOut),
      heldOut.sharedPrompts > 0 &&
        `${heldOut.sharedPrompts} of ${heldOut.given} held-out pairs are left out: a claimed pair has their prompt.`,
    ],
    apart.length > 0 &&
      `The held-out pairs are not quite of the same kind: ${apart.map((each) => `${each.feature} ${formatEstimate(each)}`).join(", ")} (AUROC, 0.5 for the same).`,
    lonely !== undefined &&
      lonely.length > 0 &&
      `Sources on one side only, so that the sides differ in more than training: ${lonely.map(({ source }) => printable(source)).join(", ")}.`,
  ]);
}

const unread = (what: string, { unread: causes }: MembershipSide): string | false => {
  const named = Object.entries(causes).map(([cause, count]) => `${cause} ${count}`);
  return named.length > 0 && `${what} pairs that a checkpoint cannot read: ${named.join(", ")}.`;
};
