import { z } from "zod";

import { readStoreNorms } from "../../store/stream-blocks.ts";
import { findLowNorms } from "../low-norm.ts";
import { defineMethod, type Scored } from "../method.ts";
import { requireSameSpace, sharedLayers } from "../require-same-space.ts";

/**
 * ‖v_d‖, the length of the pair's vector before it was rounded: (3, 4) gives 5. A rival of the probe that knows nothing of the behaviour, of
 * which it takes the layers alone.
 */
export const norm = defineMethod({
  name: "norm",
  meaning: "The two responses differ much in their activations, whatever the direction.",
  features: "states",
  settings: z.strictObject({}),
  needs: ["store", "behavior"],
  describe: () => ({
    formula: "‖v_d‖, of the behaviour the layers alone",
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: true },
  }),
  score: async ({ store, behavior, layers }, _settings, { count }) => {
    const found: Scored[] = [];
    for (const wanted of behavior.wanted) {
      requireSameSpace(store, wanted);
      for (const layer of sharedLayers(store, wanted, layers)) {
        const norms = await readStoreNorms(store, layer);
        count({ bytes: norms.byteLength });
        found.push({
          behavior: wanted.name,
          layer,
          scores: norms,
          doubt: wanted.head.doubts[`${layer}`],
          vectors: { norms, lowNorm: findLowNorms(norms, store.manifest) },
        });
      }
    }
    return found;
  },
});
