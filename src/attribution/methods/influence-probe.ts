import { storeMethod } from "../store-method.ts";

/**
 * As `gradient`, in a linear map from one layer straight to the output instead of in all weights, which a forward pass gives; see
 * docs/methods.md. With tokens t of a pair and s of the behaviour's response pairs, signed + for the chosen (after) and − for the other
 * side, ĥ the states that predict them and ε their errors, the inner product is Σ ± ⟨ĥₜ, ĥₛ⟩·⟨εₜ, εₛ⟩. Two tokens of one direction each,
 * ĥₜ = ĥₛ = (1, 0) and εₜ = εₛ = (0, 2), give 1 · 4 = 4.
 */
export const influenceProbe = storeMethod({
  name: "influence-probe",
  features: "influence",
  meaning:
    "Where the pair corrects the model's next token, in states like those of the behaviour, it corrects it the same way.",
});
