import { storeMethod } from "../store-method.ts";

/**
 * Concept influence (arXiv 2602.14869) with the identity for the Hessian: the gradient of a pair's log π(chosen) − log π(rejected), which is
 * that of DPO's loss at the checkpoint before but for its sign and length, held to that of ⟨mean residual stream over an after-response, v⟩
 * with v the probe's direction. With gradients (1, 0) of the pair and (3, 4) of the projection the cosine is 0.6. DPO on the side of the
 * pairs is our extension.
 */
export const conceptInfluence = storeMethod({
  name: "concept-influence",
  features: "gradient",
  behaviorFeatures: "concept",
  meaning: "A step of training on the pair moves responses along the probe's direction.",
});
