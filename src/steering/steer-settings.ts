import type { EngineIdentity } from "../engine/engine.ts";
import { ConfigError } from "../util/errors.ts";
import type { ProjectOutAt, SteerRequest } from "./steering-report.ts";

/** In lengths of the mean difference: no step more than doubles; what fails at one ends the climb there. */
export const DEFAULT_STRENGTHS: readonly number[] = [0.5, 1, 1.5, 2, 3, 4, 6, 8];
/** Text falls apart between two strengths of the grid: two halvings leave a quarter of that. */
export const DEFAULT_HALVINGS = 2;
/** Above what the behaviours of the organisms cost by themselves, below what broken text does; see docs/decisions.md. */
export const DEFAULT_COHERENCE_BOUND = 1;
/** One may lie near the behaviour by chance; three show how far random directions differ. */
export const DEFAULT_RANDOM_DIRECTIONS = 3;

/** Removes the behaviour from the organism with the least harm to the text; see docs/how-to-steer.md. */
export const DEFAULT_PROJECT_OUT_AT = "together" satisfies ProjectOutAt;

/** A request with its defaults. */
export interface SteerSettings {
  /** Of `project-out`; `all` layers are listed. */
  readonly projectOutAt?: Exclude<ProjectOutAt, "all"> | undefined;
  readonly strength: number | "auto";
  readonly grid: readonly number[];
  /** Strengths to try between the last that holds and the first that fails. */
  readonly halvings: number;
  readonly coherenceBound: number;
  readonly randomDirections: number;
}

/** Fills in the defaults. Throws ConfigError where the request does not fit the engine or itself. */
export function steerSettings(request: SteerRequest, identity: EngineIdentity): SteerSettings {
  checkDirections(request, identity);
  const { strength = "auto", grid = DEFAULT_STRENGTHS } = request;
  const { coherenceBound = DEFAULT_COHERENCE_BOUND } = request;
  const { randomDirections = DEFAULT_RANDOM_DIRECTIONS, halvings = DEFAULT_HALVINGS } = request;
  const strengths = strength === "auto" ? grid : [strength];
  const isClimbing = strengths.every((value, i) => value > (strengths[i - 1] ?? 0));
  if (strengths.length === 0 || !isClimbing || !strengths.every(Number.isFinite)) {
    throw new ConfigError(
      `steer: expected strengths above 0 in ascending order, got ${strengths.join(", ") || "none"}`,
    );
  }
  if (!(coherenceBound >= 0)) {
    throw new ConfigError(`steer: expected a coherence bound from 0, got ${coherenceBound}`);
  }
  if (!Number.isSafeInteger(randomDirections) || randomDirections < 1) {
    throw new ConfigError(
      `steer: expected at least one random direction, got ${randomDirections}`,
      { hint: "Without one nothing tells what any push of that length does." },
    );
  }
  if (!Number.isSafeInteger(halvings) || halvings < 0) {
    throw new ConfigError(`steer: expected halvings from 0, got ${halvings}`);
  }
  return {
    projectOutAt: request.mode === "add" ? undefined : readProjectOutAt(request, identity),
    strength,
    grid: strengths,
    halvings: strength === "auto" ? halvings : 0,
    coherenceBound,
    randomDirections,
  };
}

function readProjectOutAt(
  { projectOutAt = DEFAULT_PROJECT_OUT_AT }: SteerRequest,
  { layerCount }: EngineIdentity,
): Exclude<ProjectOutAt, "all"> {
  if (projectOutAt === "own" || projectOutAt === "together") return projectOutAt;
  if (projectOutAt === "all") return Array.from({ length: layerCount + 1 }, (_, layer) => layer);
  const isLayer = (layer: number): boolean =>
    Number.isSafeInteger(layer) && layer >= 0 && layer <= layerCount;
  const wrong = projectOutAt.find(
    (layer, i) => !isLayer(layer) || projectOutAt.indexOf(layer) !== i,
  );
  if (projectOutAt.length > 0 && wrong === undefined) return projectOutAt;
  throw new ConfigError(
    `steer: expected layers from 0 to ${layerCount} to project out at, each once, got ${projectOutAt.join(", ") || "none"}`,
  );
}

function checkDirections({ directions }: SteerRequest, { dim, layerCount }: EngineIdentity): void {
  if (directions.length === 0) throw new ConfigError("steer: expected directions, got none");
  for (const [i, { layer, vector }] of directions.entries()) {
    if (!Number.isSafeInteger(layer) || layer < 0 || layer > layerCount) {
      throw new ConfigError(`steer: expected layers from 0 to ${layerCount}, got ${layer}`);
    }
    if (directions.findIndex((each) => each.layer === layer) !== i) {
      throw new ConfigError(`steer: layer ${layer} occurs twice`);
    }
    if (vector.length !== dim) {
      throw new ConfigError(
        `steer, layer ${layer}: expected a direction of ${dim} dimensions, got ${vector.length}`,
      );
    }
    if (!vector.every(Number.isFinite) || vector.every((value) => value === 0)) {
      throw new ConfigError(`steer, layer ${layer}: expected a direction, got one that has none`);
    }
  }
}
