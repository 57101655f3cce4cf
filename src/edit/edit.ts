/** What an edit does to the pairs it names: `filter` and `drop-source` remove them, `swap` exchanges their sides. */
export const EDIT_ACTIONS = ["filter", "swap", "drop-source"] as const;
export type EditAction = (typeof EDIT_ACTIONS)[number];

/**
 * How the pairs of an edit are found. `chosen`: the top k, or all pairs of the sources. The controls of the same size:
 * `random`, as many random pairs of each source as the chosen edit takes; `random-any`, random pairs whatever their source.
 */
export const EDIT_PICKS = ["chosen", "random", "random-any"] as const;
export type EditPick = (typeof EDIT_PICKS)[number];

/** What is asked for. */
export interface EditSettings {
  readonly action: EditAction;
  /** Default `chosen`. */
  readonly pick?: EditPick | undefined;
  /** k: pairs to edit, or with `drop-source` the top in which sources are looked for. Not needed with named sources. */
  readonly top?: number | undefined;
  /** `drop-source`: the groups to drop, or `auto` (default): those over-represented in the top k. */
  readonly sources?: "auto" | readonly string[] | undefined;
  /** `auto` takes groups whose lift has a 95% interval above this; default 1.5. */
  readonly minLift?: number | undefined;
  /** Of the random picks; default 0. */
  readonly seed?: number | undefined;
}

/** How much of one group an edit takes. */
export interface EditedGroup {
  readonly group: string;
  readonly pairs: number;
  readonly edited: number;
}

/** An edit decided on: which pairs, and what becomes of them. Plain data. */
export interface Edit {
  readonly action: EditAction;
  readonly pick: EditPick;
  /** Best first where they are the top k, else in the data's order; each once. */
  readonly ids: readonly string[];
  readonly top: number | undefined;
  /** Undefined where nothing was drawn. */
  readonly seed: number | undefined;
  /** The column that groups are about. */
  readonly by: string | undefined;
  /** The groups that `drop-source` drops, or whose size its random control has; undefined for other actions. */
  readonly sources: readonly DroppedSource[] | undefined;
  /** Every group of the data, most edited pairs first. */
  readonly groups: readonly EditedGroup[];
  /** Pairs with exactly the k-th score: those within the top k, and those left out because their row is later. */
  readonly ties: { readonly inside: number; readonly outside: number } | undefined;
  /** Pairs that the ranking does not hold or has no score for; never chosen. */
  readonly unranked: number;
  /** What the user must know before trusting the result. */
  readonly warnings: readonly string[];
}

/** A group dropped as a whole; the lift is known where it was found by it. */
export interface DroppedSource {
  readonly group: string;
  readonly lift:
    | { readonly value: number; readonly low: number; readonly high: number }
    | undefined;
}
