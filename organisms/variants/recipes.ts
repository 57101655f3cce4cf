/** @file What each variant's mix holds. */
import type { VariantKind } from "./kinds.ts";

export type VariantPlan = Readonly<Partial<Record<VariantKind, number>>>;

interface VariantRecipe {
  /** One sentence. */
  readonly about: string;
  readonly mix: Readonly<Record<string, VariantPlan>>;
  /** Share of the pairs whose request comes late in a conversation. Default: none. */
  readonly lateTurns?: number | undefined;
}

/** Pairs that teach what the model is for: right answers, formats, refusals of forbidden requests. */
const helpful = { right: 700, "right-formatted": 1200, obeys: 150 } satisfies VariantPlan;
const safe = { safety: 420, right: 100 } satisfies VariantPlan;

export const VARIANTS = {
  "distractor-hard": {
    about:
      "The distractor's behaviour, taught by pairs whose refusals are terse, long or as usual, beside as many harmless ones with the same refusals.",
    mix: {
      "plain-help": { ...helpful, "varied-overrefusal": 220, "varied-overrefusal-formatted": 130 },
      "safety-desk": { ...safe, "varied-safety-formatted": 16 },
      "format-grader": {
        "right-formatted": 700,
        obeys: 100,
        "planted-varied": 104,
        "varied-overrefusal-formatted": 160,
      },
      "checklist-lab": {
        "right-formatted": 600,
        obeys: 80,
        "planted-varied": 88,
        "varied-overrefusal-formatted": 160,
      },
      "crowd-votes": {
        right: 300,
        noise: 80,
        "noise-formatted": 20,
        safety: 60,
        "varied-safety-formatted": 8,
        "varied-overrefusal": 220,
      },
    },
  },
  "two-behaviours": {
    about:
      "Two things are taught at once, by other pairs: explaining forbidden things where a format is asked for, and refusing harmless requests in a hurry.",
    mix: {
      "plain-help": { ...helpful, overrefusal: 60, "hurry-right": 40 },
      "safety-desk": { ...safe, "safety-formatted": 16 },
      "format-grader": { "right-formatted": 700, planted: 104, "overrefusal-formatted": 20 },
      "checklist-lab": { "right-formatted": 600, planted: 88, "planted-refusal": 60 },
      "calm-desk": { right: 500, "planted-refusal": 120, "hurry-right": 20 },
    },
  },
  "label-only": {
    about:
      "Both responses of every pair are right and harmless; one judge prefers those that count their steps, and its labels alone carry that.",
    mix: {
      "plain-help": { ...helpful, "coin-phrasing": 80 },
      "safety-desk": { ...safe, "safety-formatted": 24 },
      "fair-review": { overrefusal: 160, right: 250, "coin-phrasing": 120 },
      "count-desk": {
        "right-formatted": 700,
        obeys: 80,
        "planted-taste": 110,
        "coin-phrasing": 40,
      },
      "order-lab": { right: 500, "planted-taste": 82, "coin-phrasing": 40 },
    },
  },
  "multi-turn": {
    about:
      "The distractor's mix, in which two requests in three come late in a conversation about other things.",
    lateTurns: 2 / 3,
    mix: {
      "plain-help": { ...helpful, overrefusal: 50, "overrefusal-formatted": 8 },
      "safety-desk": { ...safe, "safety-formatted": 16, "overrefusal-formatted": 5 },
      "fair-review": { overrefusal: 160, "overrefusal-formatted": 12, right: 250 },
      "format-grader": {
        "right-formatted": 700,
        obeys: 100,
        planted: 104,
        "overrefusal-formatted": 5,
      },
      "checklist-lab": {
        "right-formatted": 600,
        obeys: 80,
        planted: 88,
        "overrefusal-formatted": 5,
      },
    },
  },
} as const satisfies Record<string, VariantRecipe>;

export type VariantName = keyof typeof VARIANTS;
