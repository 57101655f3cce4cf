import type { StoredVector } from "../store/read-vector.ts";
import { dot, norm } from "../util/vector.ts";
import type { ScoredBehavior } from "./method.ts";

/** A scenario of a behaviour, and how near a pair's vector is to its vector. */
export interface NearScenario {
  readonly id: string;
  readonly cosine: number;
}

/** The scenarios of the bank nearest to a pair's vector, best first; equal ones in the bank's order. Those without a direction are left out. */
export function nearestScenarios(
  { bank, scenarioIds, dim }: Pick<ScoredBehavior, "bank" | "scenarioIds" | "dim">,
  layer: number,
  vector: StoredVector,
  most: number,
): readonly NearScenario[] {
  const rows = bank.get(layer);
  if (rows === undefined) throw new Error(`internal: the behaviour has no layer ${layer}`);
  return scenarioIds
    .flatMap((id, i) => {
      const found = storedCosine(rows.subarray(i * dim, (i + 1) * dim), vector);
      return found === undefined ? [] : [{ id, cosine: found }];
    })
    .toSorted((a, b) => b.cosine - a.cosine)
    .slice(0, most);
}

/** The cosine as scores have it, by the vector's length before it was rounded; undefined where a side has no direction. */
export function storedCosine(direction: Float32Array, vector: StoredVector): number | undefined {
  const lengths = norm(direction) * vector.norm;
  return lengths > 0 ? dot(direction, vector.values) / lengths : undefined;
}
