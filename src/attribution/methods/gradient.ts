import { storeMethod } from "../store-method.ts";

/**
 * At the checkpoint before, the gradient of DPO's loss on a pair is −β/2 times that of log π(chosen) − log π(rejected), whatever β: its
 * cosine with the behaviour's, the same of after and before, is that of these differences (LESS, arXiv 2402.04333, without Adam).
 */
export const gradient = storeMethod({
  name: "gradient",
  features: "gradient",
  meaning: "A step of training on the pair changes the weights the way the behaviour would.",
});
