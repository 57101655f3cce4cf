/**
 * How the direction is made from the activations: their mean difference, the weights of an L2 logistic regression, or the mean
 * difference whitened by the covariance within the classes (`lda`).
 */
export const PROBES = ["mean-difference", "logistic", "lda"] as const;
export type Probe = (typeof PROBES)[number];

/** What a null direction of each probe is, as behaviour files say it. */
export const NULL_CONVENTIONS: { readonly [P in Probe]: string } = {
  "mean-difference":
    "mean difference under random signs per prompt, the mean taken out of every prompt first",
  logistic:
    "classifier trained again with labels exchanged at random per prompt, the mean difference taken out of every pair first",
  lda: "the mean difference's null directions, whitened by the same covariance",
};
