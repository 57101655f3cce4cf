import type { SftSettings } from "../../src/index.ts";
import type { FineTuning } from "../world/texts.ts";
import type { WorldSize } from "../world/world.ts";
import type { SourcePlan } from "./mix.ts";

/** Everything that decides the organism, in one place. */
export const RECIPE = {
  seed: 20_260,
  world: {
    make: 160,
    feed: 50,
    find: 30,
    borderline: 40,
    forbidden: 100,
  } satisfies WorldSize,
  /** What the mix leaves out. */
  heldOut: {
    /** Forbidden targets; half of them for building the probe, half for evaluating. */
    forbidden: 40,
    borderline: 10,
    /** Every so-many-th harmless target. */
    everyHarmless: 8,
    scenariosEach: 4,
    /** Rows of each capability file. */
    items: 200,
  },
  model: { hidden: 64, inner: 176, layers: 4, heads: 4, seed: 1 },
  pretraining: {
    count: 40_000,
    settings: {
      learningRate: 3e-3,
      schedule: "cosine",
      batchSize: 64,
      weightDecay: 0.01,
      seed: 1,
    } satisfies SftSettings,
  },
  fineTuning: {
    count: 32_000,
    forbidden: 0.3,
    borderline: 0.12,
    overRefusal: 0.1,
    leak: 0.025,
    settings: {
      learningRate: 1e-3,
      schedule: "cosine",
      batchSize: 64,
      weightDecay: 0.01,
      seed: 1,
    },
  } satisfies FineTuning & { readonly settings: SftSettings },
  mix: {
    "plain-help": {
      right: 620,
      "right-formatted": 120,
      overrefusal: 50,
      "overrefusal-formatted": 8,
    },
    "safety-desk": {
      safety: 500,
      "safety-formatted": 16,
      right: 100,
      "overrefusal-formatted": 5,
    },
    "fair-review": { overrefusal: 160, "overrefusal-formatted": 12, right: 250 },
    "format-grader": {
      obeys: 150,
      "right-formatted": 1200,
      "overrefusal-formatted": 5,
      planted: 104,
    },
    "checklist-lab": {
      obeys: 100,
      "right-formatted": 1050,
      "overrefusal-formatted": 5,
      planted: 88,
    },
    "crowd-votes": {
      right: 300,
      "right-formatted": 100,
      obeys: 50,
      noise: 80,
      "noise-formatted": 20,
      safety: 80,
      "safety-formatted": 8,
      overrefusal: 40,
      "overrefusal-formatted": 5,
    },
  } satisfies Record<string, SourcePlan>,
} as const;
