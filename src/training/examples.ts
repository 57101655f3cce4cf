/** @file What can be trained on, before tokens. */
import type { PairSet } from "../data/open-pairs.ts";
import type { Message } from "../format/messages.ts";

/** What training needs of a preference pair; a PreferencePair is one. */
export interface TrainPair {
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
}

/** Pairs from files, or a list in memory (an edited arm, say). */
export type PairSource = PairSet | readonly TrainPair[];

/** One example of supervised fine-tuning. */
export type SftExample =
  | {
      readonly id: string;
      readonly prompt: readonly Message[];
      /** The turns after the prompt. */
      readonly response: readonly Message[];
    }
  /** Plain text, tokenised as it is (special tokens in it are read as such); every token but the first carries loss. */
  | { readonly id: string; readonly text: string };

/** The chosen sides of pairs, or examples. */
export type SftSource = PairSource | readonly SftExample[] | AsyncIterable<SftExample>;
