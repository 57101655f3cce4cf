import type { Message } from "../format/messages.ts";
/** @file What can be trained on, before tokens. */
import type { PairSet } from "../pairs/open-pairs.ts";
import type { SftExample, SftSet } from "../pairs/sft-examples.ts";

/** What training needs of a preference pair; a PreferencePair is one. */
export interface TrainPair {
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
}

/** Pairs from files, edited on the way or not, or a list in memory. */
export type PairSource = Pick<PairSet, "files" | "read"> | readonly TrainPair[];

/** The chosen sides of pairs, or examples. */
export type SftSource = PairSource | SftSet | readonly SftExample[];
