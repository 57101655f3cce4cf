import type { Rng } from "../util/rng.ts";
import type { Grouping } from "./prompt-groups.ts";

/** Rows dealt out so that all rows of a prompt are in the same fold. */
export interface Folds {
  readonly count: number;
  /** The rows that take part. */
  readonly members: Int32Array;
  /** The fold of each member, [members]. */
  readonly of: Int32Array;
}

/**
 * Deals the prompts of `members` out to folds of equal numbers of prompts, in random order; as many folds as prompts where
 * there are fewer prompts than folds.
 */
export function drawFolds(
  prompts: Grouping,
  members: Int32Array,
  { folds, rng }: { readonly folds: number; readonly rng: Rng },
): Folds {
  const present = [...new Set(Array.from(members, (i) => prompts.of[i]!))].toSorted(
    (a, b) => a - b,
  );
  const count = Math.min(folds, present.length);
  const foldOf = new Map(
    rng.shuffle(present).map((prompt, position) => [prompt, position % count]),
  );
  return { count, members, of: members.map((i) => foldOf.get(prompts.of[i]!)!) };
}

/** The rows of one fold. */
export function membersWithin({ members, of }: Folds, fold: number): Int32Array {
  return members.filter((_, k) => of[k] === fold);
}

/** The rows of all other folds. */
export function membersOutside({ members, of }: Folds, fold: number): Int32Array {
  return members.filter((_, k) => of[k] !== fold);
}
