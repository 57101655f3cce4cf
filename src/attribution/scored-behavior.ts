import type { StoredBehavior } from "../behavior/behavior-file.ts";

/** What scoring needs of a behaviour. */
export type ScoredBehavior = Pick<
  StoredBehavior,
  "name" | "identity" | "dim" | "layers" | "directions" | "bank" | "scenarioIds" | "nullDirections"
> & { readonly head: Pick<StoredBehavior["head"], "doubts" | "layerChoice"> };
