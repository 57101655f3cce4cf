/** @file The scorers: what they read of a behaviour and of a pair, side by side. */
import type { StoredBehavior } from "../behavior/behavior-file.ts";

/** v the behaviour's direction, v_d the pair's vector, m the mean of all v_d. */
export const SCORERS = ["cosine", "projection", "centred-cosine", "bank-max"] as const;
export type Scorer = (typeof SCORERS)[number];

/** What scoring needs of a behaviour. */
export type ScoredBehavior = Pick<
  StoredBehavior,
  "name" | "identity" | "dim" | "layers" | "directions" | "bank" | "scenarioIds" | "nullDirections"
> & { readonly head: Pick<StoredBehavior["head"], "doubts" | "layerChoice"> };

export interface ScorerTraits {
  /** One sentence for people. */
  readonly meaning: string;
  /** Scores against every vector of the bank and takes the largest, instead of the one direction. */
  readonly usesBank: boolean;
  /** Subtracts the mean of all stored vectors first: one more pass over the store. */
  readonly isCentred: boolean;
  /** Divides by the length of the pair's vector, so that scores are cosines within [-1, 1]. */
  readonly isCosine: boolean;
}

export const SCORER_TRAITS: { readonly [K in Scorer]: ScorerTraits } = {
  cosine: {
    meaning: "cos(v, v_d)",
    usesBank: false,
    isCentred: false,
    isCosine: true,
  },
  projection: {
    meaning: "<v_d, v/|v|>, which keeps how far the pair moves the activations",
    usesBank: false,
    isCentred: false,
    isCosine: false,
  },
  "centred-cosine": {
    meaning: "cos(v, v_d - m), m the mean of all v_d",
    usesBank: false,
    isCentred: true,
    isCosine: true,
  },
  "bank-max": {
    meaning: "the largest cos(b, v_d) over the bank's vectors b, one for each scenario",
    usesBank: true,
    isCentred: false,
    isCosine: true,
  },
};
