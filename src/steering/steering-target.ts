import type { StoredBehavior } from "../behavior/behavior-file.ts";
import { hashText } from "../util/hash.ts";
import { createRng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import { DEFAULT_PROJECT_OUT_AT, type SteerSettings } from "./steer-settings.ts";
import type { SteeringDirection, SteerRequest } from "./steering-report.ts";

/** What is steered with at once. */
export interface SteeringTarget {
  /** The direction's layer; undefined of several directions. */
  readonly layer: number | undefined;
  /** Length of the direction; undefined of several. */
  readonly length: number | undefined;
  /** One for each layer at which the residual stream is changed, at least one. */
  readonly directions: readonly SteeringDirection[];
}

/** Whether all directions are projected out at once. */
export function steersTogether({
  mode,
  projectOutAt = DEFAULT_PROJECT_OUT_AT,
}: Pick<SteerRequest, "mode" | "projectOutAt">): boolean {
  return mode === "project-out" && projectOutAt === "together";
}

/**
 * The layers to steer at where none are named: for directions projected out together all that the behaviour has, but for layer 0, which
 * holds the words before any block has read them; else undefined, for the one chosen.
 */
export function unnamedLayers(
  request: Pick<SteerRequest, "mode" | "projectOutAt">,
  { layers }: Pick<StoredBehavior, "layers">,
): readonly number[] | undefined {
  if (!steersTogether(request)) return undefined;
  const above = layers.filter((layer) => layer > 0);
  return above.length > 0 ? above : layers;
}

/** What is steered with, one after the other: each direction by itself, or all at once. */
export function steeringTargets(
  directions: readonly SteeringDirection[],
  { projectOutAt = "own" }: Pick<SteerSettings, "projectOutAt">,
): readonly SteeringTarget[] {
  if (projectOutAt === "together" && directions.length > 1) {
    return [{ layer: undefined, length: undefined, directions }];
  }
  return directions.map((direction) => {
    const { layer, vector } = direction;
    const isOwn = projectOutAt === "own" || projectOutAt === "together";
    const at = isOwn ? [layer] : projectOutAt;
    return { layer, length: norm(vector), directions: placed(direction, at) };
  });
}

/** The n-th random target beside another: a random direction at the same layers, or of several directions one for each. */
export function randomTarget(
  { layer, length, directions }: SteeringTarget,
  draw: { readonly seed: number; readonly n: number },
): SteeringTarget {
  if (layer === undefined) {
    return { layer, length, directions: directions.map((each) => randomDirection(each, draw)) };
  }
  const { vector } = directions[0]!; // the same at every layer
  const at = directions.map((each) => each.layer);
  return { layer, length, directions: placed(randomDirection({ layer, vector }, draw), at) };
}

const placed = (
  { vector }: SteeringDirection,
  at: readonly number[],
): readonly SteeringDirection[] => at.map((layer) => ({ layer, vector }));

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
