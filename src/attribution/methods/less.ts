import { runMethod } from "../run-method.ts";

/**
 * LESS (Xia et al. 2024, arXiv 2402.04333, equation 5) with the DPO loss on the side of the pairs: Σ_c η_c cos(g_c, a_d,c) over kept states
 * c of a warm-up, divided by Σ η_c, a the step that Adam with that state's moments takes for the pair alone. With two states of learning
 * rates 3 and 1 and cosines 0.5 and 0.1: (3·0.5 + 1·0.1)/4 = 0.4.
 */
export const less = runMethod({
  name: "less",
  meaning: "Adam's steps on the pair, along a warm-up, go the way of the behaviour's gradient.",
  formula:
    "Σ_c η_c cos(g, a_d) / Σ_c η_c over states c of a warm-up, g the behaviour's gradient, a_d Adam's step on the pair's DPO loss",
  isCosine: true,
});
