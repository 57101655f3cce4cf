import { z } from "zod";

import { jsonArtifact } from "../util/artifact.ts";

/**
 * What an edit by a ranking does: `filter` and `drop-source` remove the pairs it names, `swap` exchanges their sides, `tenth` removes all
 * but one tenth of the ranking.
 */
export const RANKED_ACTIONS = ["filter", "swap", "drop-source", "tenth"] as const;
/** Parts into which `tenth` cuts a ranking. */
export const TENTHS = 10;
/** `review` does to each pair what people decided. */
export const EDIT_ACTIONS = [...RANKED_ACTIONS, "review"] as const;

/**
 * How the pairs of an edit are found. `chosen`: the top k, or all pairs of the sources. The controls of the same size:
 * `random`, as many random pairs of each source as the chosen edit takes; `random-any`, random pairs whatever their source; `bottom`,
 * the k pairs with the lowest scores.
 */
export const EDIT_PICKS = ["chosen", "random", "random-any", "bottom"] as const;
export type EditPick = (typeof EDIT_PICKS)[number];
/** The picks that are drawn: an arm of one is what chance does. */
export const RANDOM_PICKS = ["random", "random-any"] as const satisfies readonly EditPick[];
export type RandomPick = (typeof RANDOM_PICKS)[number];

export const isRandomPick = (pick: EditPick): pick is RandomPick =>
  (RANDOM_PICKS as readonly EditPick[]).includes(pick);

/** Whether an edit takes the pairs at fault by a ranking or by people: no control, and no tenth, whose ids are what it leaves out. */
export const takesChosen = ({ action, pick }: Pick<Edit, "action" | "pick">): boolean =>
  pick === "chosen" && action !== "tenth";

/** What is asked for. */
export interface EditSettings {
  readonly action: (typeof RANKED_ACTIONS)[number];
  /** Default `chosen`. */
  readonly pick?: EditPick | undefined;
  /** k: pairs to edit, or with `drop-source` the top in which sources are looked for. Not needed with named sources. */
  readonly top?: number | undefined;
  /** `drop-source`: the groups to drop, or `auto` (default): those over-represented in the top k. */
  readonly sources?: "auto" | readonly string[] | undefined;
  /** `tenth`: which one is left, 1 that with the highest scores. */
  readonly tenth?: number | undefined;
  /** `auto` takes groups whose lift has a 95% interval above this; default 1.5. */
  readonly minLift?: number | undefined;
  /** Of the random picks; default 0. */
  readonly seed?: number | undefined;
}

export const editedGroupSchema = z.strictObject({
  group: z.string(),
  pairs: z.int(),
  edited: z.int(),
});

const droppedSourceSchema = z.strictObject({
  group: z.string(),
  /** Known where it was found by it. */
  lift: z.strictObject({ value: z.number(), low: z.number(), high: z.number() }).optional(),
});

export const editSchema = z.strictObject({
  action: z.enum(EDIT_ACTIONS),
  pick: z.enum(EDIT_PICKS),
  /** The method of the ranking that it follows, as its file names it; absent without one. */
  method: z.string().optional(),
  /** Best first where they are the top k, lowest first where they are the bottom, else in the data's order; each once. */
  ids: z.array(z.string()).readonly(),
  /** `review`: those of `ids` whose sides are exchanged; the others are removed. Absent for other actions. */
  swaps: z.array(z.string()).readonly().optional(),
  top: z.int().optional(),
  /** `tenth`: the one that is left; absent for other actions. */
  tenth: z.int().min(1).max(TENTHS).optional(),
  /** Absent where nothing was drawn. */
  seed: z.int().optional(),
  /** The column that groups are about. */
  by: z.string().optional(),
  /** The groups that `drop-source` drops, or whose size its random control has; absent for other actions. */
  sources: z.array(droppedSourceSchema).readonly().optional(),
  /** Every group of the data, most edited pairs first. */
  groups: z.array(editedGroupSchema).readonly(),
  /** Pairs with exactly the k-th score: those within the top k, and those left out because their row is later. */
  ties: z.strictObject({ inside: z.int(), outside: z.int() }).optional(),
  /** Pairs that the ranking does not hold or has no score for; never chosen. */
  unranked: z.int(),
  /** What the user must know before trusting the result. */
  warnings: z.array(z.string()).readonly(),
});

/** An edit decided on: which pairs, and what becomes of them. Plain data. */
export type Edit = z.output<typeof editSchema>;
/** What of an edit decides what becomes of a pair. */
export type EditedPairs = Pick<Edit, "action" | "ids" | "swaps">;

/** The pairs whose sides an edit exchanges. */
export const swappedIds = ({ action, ids, swaps = [] }: EditedPairs): readonly string[] =>
  action === "swap" ? ids : swaps;

/** How much of one group an edit takes. */
export type EditedGroup = z.output<typeof editedGroupSchema>;
/** A group dropped as a whole. */
export type DroppedSource = z.output<typeof droppedSourceSchema>;

/** A plan alone, without the data. */
export const EDIT = jsonArtifact("edit.json", "what culprit edit decided", editSchema, {
  indent: 1,
});
