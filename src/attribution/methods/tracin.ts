import { runMethod } from "../run-method.ts";

/**
 * TracInCP (Pruthi et al. 2020, arXiv 2002.08484, section 3.2) with the DPO loss on the side of the pairs: Σ_c η_c ⟨g_c, g_d,c⟩ over kept
 * states c of a training run, divided by Σ η_c. With two states of learning rates 3 and 1 and products 2 and −2: (3·2 − 1·2)/4 = 1.
 */
export const tracin = runMethod({
  name: "tracin",
  meaning:
    "Steps of plain gradient descent on the pair, along a training run, bring the behaviour on.",
  formula:
    "Σ_c η_c ⟨g, g_d⟩ / Σ_c η_c over states c of a training run, g the behaviour's gradient, g_d that of the pair's DPO loss downwards",
  isCosine: false,
});
