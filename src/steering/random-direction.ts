import { hashText } from "../util/hash.ts";
import { createRng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import type { SteeringDirection } from "./steering-report.ts";

/** The n-th random direction beside another: as long as it, equally likely to point anywhere. The same for a seed, layer and n. */
export function randomDirection(
  { layer, vector }: SteeringDirection,
  { seed, n }: { readonly seed: number; readonly n: number },
): SteeringDirection {
  const name = hashText(`random direction ${seed} ${layer} ${n}`);
  const rng = createRng(Number.parseInt(name.slice(0, 8), 16));
  const normal = Float64Array.from(vector, () => rng.normal());
  const scale = norm(vector) / norm(normal);
  return { layer, vector: Float32Array.from(normal, (value) => value * scale) };
}
