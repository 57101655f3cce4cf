import { z } from "zod";

/** @file The methods whose vectors are gradients along a training run: a score at each of its states, added up by learning rates. */
import type { RunFeatures } from "../engine/features.ts";
import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import { norm } from "../util/vector.ts";
import {
  type AttributionMethod,
  defineMethod,
  type ScoredBehavior,
  type UnrelatedScores,
} from "./method.ts";
import { rankStore, type StoreScores } from "./rank-store.ts";

/** `isCosine`: the products of directions alone; else of whole gradients. */
export function runMethod({
  name,
  meaning,
  formula,
  isCosine,
}: {
  readonly name: RunFeatures["kind"];
  readonly meaning: string;
  readonly formula: string;
  readonly isCosine: boolean;
}): AttributionMethod<"store" | "behavior", typeof noSettings> {
  return defineMethod({
    name,
    meaning,
    features: name,
    settings: noSettings,
    needs: ["store", "behavior"],
    describe: () => ({
      formula,
      features: name,
      traits: { isBounded: isCosine, null: "none", hasVerdict: false, hasLayer: false },
    }),
    score: async ({ store, behavior: { wanted, unrelated } }, _settings, work) => {
      const weights = weightsOf(store);
      const scores = await rankStore(store, wanted, {
        ...work,
        scorer: isCosine ? "cosine" : "projection",
        nullDirections: 0,
        nullBehaviors: unrelated,
      });
      return wanted.map((behavior) => {
        const own = scores.filter((each) => each.behavior === behavior.name);
        const sum = sumStates({ weights, isCosine }, behavior, own, ({ scores: found }) => found);
        return {
          behavior: behavior.name,
          scores: sum,
          doubt: own.find(({ doubt }) => doubt !== undefined)?.doubt,
          unrelated: unrelated.map((other, i): UnrelatedScores => {
            const ofOther = (state: StoreScores): UnrelatedScores => state.unrelated![i]!; // one for each
            return {
              behavior: other.name,
              scores: sumStates(
                { weights, isCosine },
                other,
                own,
                (state) => ofOther(state).scores,
              ),
              cosine: own.reduce(
                (total, state) => total + weights.get(state.layer)! * ofOther(state).cosine,
                0,
              ),
              doubt: own.map((state) => ofOther(state).doubt).find((doubt) => doubt !== undefined),
            };
          }),
        };
      });
    },
  });
}

const noSettings = z.strictObject({});

/** The share of each state in the sum, by its step: its learning rate over that of all. Throws ConfigError where a state is missing. */
function weightsOf({ manifest, directory }: VectorStore): ReadonlyMap<number, number> {
  const { features, layers } = manifest;
  if (features === undefined || !("run" in features)) {
    throw new Error("internal: scorePairs checks the features of stores");
  }
  const { steps, rates } = features.run;
  const missing = steps.find((step) => !layers.includes(step));
  if (missing !== undefined) {
    throw new ConfigError(
      `${directory}: expected all states of the training run, steps ${steps.join(", ")}, got no ${missing}`,
      { hint: "culprit embed --layers all reads all of them." },
    );
  }
  const sum = rates.reduce((total, rate) => total + rate, 0);
  return new Map(steps.map((step, i) => [step, rates[i]! / sum])); // a rate for each step
}

/** Σ over states of share × product. */
function sumStates(
  how: { readonly weights: ReadonlyMap<number, number>; readonly isCosine: boolean },
  behavior: ScoredBehavior,
  states: readonly StoreScores[],
  scoresOf: (state: StoreScores) => Float32Array,
): Float32Array {
  const sum = new Float32Array(states[0]?.scores.length ?? 0);
  for (const state of states) {
    // Projections are on the direction: of the whole gradient they are its length times that.
    const length = how.isCosine ? 1 : norm(behavior.directions.get(state.layer)!);
    const factor = how.weights.get(state.layer)! * length;
    const scores = scoresOf(state);
    for (let row = 0; row < sum.length; row++) sum[row]! += factor * scores[row]!;
  }
  return sum;
}
