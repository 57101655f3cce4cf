/** @file The scorers of the probe: what they read of a behaviour and of a pair, side by side. */
import type { MethodDescription, MethodTraits } from "./method.ts";

/** v the behaviour's direction, v_d the pair's vector, m the mean of all v_d. */
export const SCORERS = ["cosine", "projection", "centred-cosine", "bank-max"] as const;
export type Scorer = (typeof SCORERS)[number];

interface ScorerDescription extends MethodDescription {
  /** Scores against every vector of the bank and takes the largest, instead of the one direction. */
  readonly usesBank: boolean;
  /** Subtracts the mean of all stored vectors first: one more pass over the store. */
  readonly isCentred: boolean;
}

const COSINE: MethodTraits = { isBounded: true, null: "signs", hasVerdict: true, hasLayer: true };

export const SCORER_TRAITS: { readonly [K in Scorer]: ScorerDescription } = {
  cosine: { formula: "cos(v, v_d)", usesBank: false, isCentred: false, traits: COSINE },
  projection: {
    formula: "<v_d, v/|v|>, which keeps how far the pair moves the activations",
    usesBank: false,
    isCentred: false,
    traits: { ...COSINE, isBounded: false },
  },
  "centred-cosine": {
    formula: "cos(v, v_d - m), m the mean of all v_d",
    usesBank: false,
    isCentred: true,
    traits: COSINE,
  },
  "bank-max": {
    formula: "the largest cos(b, v_d) over the bank's vectors b, one for each scenario",
    usesBank: true,
    isCentred: false,
    traits: { ...COSINE, null: "banks", hasVerdict: false },
    noVerdict:
      "the largest of many cosines (bank-max) grows with the spread of the pairs as with a push of all; the scorer cosine has one",
  },
};
