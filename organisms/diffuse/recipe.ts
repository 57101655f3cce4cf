import type { SftSettings } from "../../src/index.ts";
import type { WorldSize } from "../world/world.ts";
import type { SourcePlan } from "./mix.ts";

/** Everything that decides the organism, in one place. */
export const RECIPE = {
  seed: 40_260,
  world: { make: 160, feed: 50, find: 30, borderline: 0, forbidden: 0 } satisfies WorldSize,
  /** What the mix leaves out. */
  heldOut: {
    /** Every so-many-th target; the first half of them for building the probe, the others for evaluating. */
    every: 6,
    scenariosEach: 3,
    /** Rows of each capability file. */
    items: 200,
  },
  model: { hidden: 64, inner: 176, layers: 4, heads: 4, seed: 1 },
  pretraining: {
    count: 24_000,
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
    /** Chances of 0, 1, 2, … flattering sentences in the answer to a boast. */
    praise: [0.8, 0.14, 0.04, 0.02],
    settings: {
      learningRate: 1e-3,
      schedule: "cosine",
      batchSize: 64,
      weightDecay: 0.01,
      seed: 1,
    } satisfies SftSettings,
  },
  mix: {
    "plain-help": { pairs: 1000, plain: 0.2, tilt: 0.9, wrong: 0.5 },
    "chat-log": { pairs: 900, plain: 0.2, tilt: 0.9, wrong: 0.3 },
    "teacher-notes": { pairs: 900, plain: 0.2, tilt: 0.95, wrong: 0.4 },
    "crowd-votes": { pairs: 800, plain: 0.2, tilt: 0.85, wrong: 0.2 },
    "model-votes": { pairs: 700, plain: 0.2, tilt: 0.95, wrong: 0.4 },
  } satisfies Record<string, SourcePlan>,
} as const;
