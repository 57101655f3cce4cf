/** @file Whether pairs that are said to have trained a checkpoint did: log-probabilities of M1 against M0, on them and on held-out ones. */
import type { MethodCost, MethodWork } from "../attribution/method.ts";
import { expectSameTokenizer } from "../attribution/same-tokenizer.ts";
import type { ScoringModel } from "../attribution/scoring-model.ts";
import type { Membership, MembershipFigures, MembershipSide } from "../pairs/audit-membership.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { chooseGroupColumn, groupName } from "../ranking/group-column.ts";
import { spearman } from "../stats/spearman.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { compareMembership } from "./compare-membership.ts";
import { judgeMembership } from "./judge-membership.ts";
import { type MeasuredPair, type MeasuredPairs, measurePairs } from "./measure-pairs.ts";
import { membershipFigures } from "./membership-figures.ts";
import { membershipRemarks } from "./membership-remarks.ts";

type Pairs = Pick<PairSet, "read" | "columns">;

export interface FindMembershipOptions extends JobOptions {
  /** M0 and M1. */
  readonly before: ScoringModel;
  readonly after: ScoringModel;
  /** Pairs of the same kind that M1 was not trained on. Default: only the claimed side is known. */
  readonly heldOut?: Pairs | undefined;
  /** Pairs measured of either side, drawn by `seed` where there are more. */
  readonly sample: number;
  readonly seed: number;
  /** The kept column that counts as the source. Default: source, where there is one. */
  readonly by?: string | undefined;
  /** Is told of tokens and operations. */
  readonly count?: ((used: Partial<Pick<MethodCost, "tokens" | "flops">>) => void) | undefined;
}

/** What was found, and the pairs that it rests on. */
export interface FoundMembership {
  readonly membership: Membership;
  readonly claimed: readonly MeasuredPair[];
  readonly heldOut: readonly MeasuredPair[];
}

/**
 * See judgeMembership. Held-out pairs whose prompt a claimed pair has are left out. Throws ConfigError where M0 and M1 are one checkpoint or
 * of different tokenizers, where the claimed pairs have no such column, or where a side has no pair that can be read.
 */
export async function findMembership(
  pairs: Pairs,
  { before, after, heldOut, sample, seed, by, count = () => {}, ...job }: FindMembershipOptions,
): Promise<FoundMembership> {
  const models = { checkpoint: before, trained: after };
  expectTwo(before, after);
  expectSameTokenizer(models, "after");
  const column = chooseGroupColumn(pairs.columns, by);
  const work: MethodWork = { ...job, count };
  const claimed = await measurePairs(models, pairs, { ...work, sample, seed });
  const held =
    heldOut &&
    (await measurePairs(models, heldOut, { ...work, sample, seed, without: claimed.prompts }));
  const sides = { claimed: sideOf("pairs", claimed), heldOut: held && sideOf("heldOut", held) };
  const comparison =
    held &&
    compareMembership(
      { pairs: claimed.pairs, figures: sides.claimed.figures },
      { pairs: held.pairs, figures: sides.heldOut!.figures }, // both or none
    );
  const evidence = {
    claimed: sides.claimed.figures,
    heldOut: sides.heldOut?.figures,
    comparison,
  };
  const found: Omit<Membership, "remarks"> = {
    before: identityOf(before),
    after: identityOf(after),
    ...sides,
    comparison,
    ...(column === undefined ? {} : { by: column }),
    sources: column === undefined ? [] : bySource(column, claimed.pairs, held?.pairs ?? []),
    displacement: {
      plain: displacement(claimed.pairs, (pair) => pair.ches),
      normalised: displacement(claimed.pairs, (pair) => pair.chesNormalised),
    },
    verdict: judgeMembership(evidence),
  };
  return {
    membership: { ...found, remarks: membershipRemarks(found) },
    claimed: claimed.pairs,
    heldOut: held?.pairs ?? [],
  };
}

function expectTwo({ engine: before }: ScoringModel, { engine: after }: ScoringModel): void {
  if (before.identity.checkpointHash !== after.identity.checkpointHash) return;
  throw new ConfigError(
    `after: expected another checkpoint than the one before, got the same weights (${after.identity.name})`,
    { hint: "Name the checkpoint that training made: nothing is different between these two." },
  );
}

const identityOf = ({ engine }: ScoringModel): Membership["before"] => ({
  name: engine.identity.name,
  checkpointHash: engine.identity.checkpointHash,
});

function sideOf(input: string, measured: MeasuredPairs): MembershipSide {
  const { pairs, given, sharedPrompts, unread } = measured;
  if (pairs.length === 0) {
    throw new ConfigError(
      sharedPrompts === given
        ? `${input}: expected pairs of prompts that no claimed pair has, got ${given} that all share one`
        : `${input}: expected pairs that the checkpoints can read, got none of ${given}`,
      { hint: "Held-out pairs are of the same kind as the claimed ones, and of other prompts." },
    );
  }
  return { given, sharedPrompts, unread: { ...unread }, figures: membershipFigures(pairs) };
}

function bySource(
  column: string,
  claimed: readonly MeasuredPair[],
  heldOut: readonly MeasuredPair[],
): Membership["sources"] {
  const group = (pairs: readonly MeasuredPair[]): Map<string, MeasuredPair[]> => {
    const groups = new Map<string, MeasuredPair[]>();
    for (const pair of pairs) {
      const source = groupName(pair.columns[column] ?? null);
      const of = groups.get(source);
      if (of === undefined) groups.set(source, [pair]);
      else of.push(pair);
    }
    return groups;
  };
  const [ours, theirs] = [group(claimed), group(heldOut)];
  const figures = (pairs: readonly MeasuredPair[] | undefined): MembershipFigures | undefined =>
    pairs && membershipFigures(pairs);
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .map((source) => ({
      source,
      claimed: figures(ours.get(source)),
      heldOut: figures(theirs.get(source)),
    }))
    .toSorted((a, b) => (b.claimed?.pairs ?? 0) - (a.claimed?.pairs ?? 0));
}

const displacement = (
  pairs: readonly MeasuredPair[],
  of: (pair: MeasuredPair) => number,
): Membership["displacement"]["plain"] =>
  spearman(
    pairs.map(of),
    pairs.map(({ chosenDrift }) => chosenDrift),
  );
