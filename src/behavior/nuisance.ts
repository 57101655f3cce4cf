import { describeFeatures } from "../engine/features.ts";
import { ConfigError } from "../util/errors.ts";
import { cosine } from "../util/vector.ts";
import type { ResponseActivations } from "./activations.ts";
import type { StoredBehavior } from "./behavior-file.ts";
import { differingPart, IDENTITY_PARTS } from "./behavior-head.ts";
import type { Nuisance } from "./project-out.ts";
import { groupKeys } from "./prompt-groups.ts";
import { namedStream } from "./random-streams.ts";
import type { ResponseMeasure } from "./response-measures.ts";
import { drawHalves } from "./stability.ts";

/** An estimated nuisance direction and how far halves of the prompts agree on it. */
export interface EstimatedNuisance extends Nuisance {
  /** Per layer: mean cosine between the directions of two random halves of the prompts; undefined where halves show nothing. */
  readonly splitHalf: ReadonlyMap<number, number | undefined>;
}

const SPLITS = 20;

/** Below this the directions of two halves of the prompts are mostly noise. */
const MIN_AGREEMENT = 0.5;

/** For each layer at which halves of the prompts do not agree on the direction, one line that says so. */
export function nuisanceDoubts({ name, splitHalf }: EstimatedNuisance): string[] {
  return [...splitHalf].flatMap(([layer, agreement]) =>
    agreement !== undefined && agreement >= MIN_AGREEMENT
      ? []
      : [
          `layer ${layer}: the direction of ${name} is not stable (split-half cosine ${agreement?.toFixed(2) ?? "unknown"}): taking it out may leave much of it`,
        ],
  );
}

/**
 * The direction in which activations move with a measure of the response: the sum over responses of (measure - its mean) x
 * (activation - its mean), both means those of the response's side. Comparing within the sides keeps the behaviour itself out:
 * after-responses that are all longer say nothing here about what length looks like. Throws ConfigError where the measure does
 * not vary within either side.
 */
export function estimateNuisance(
  activations: ResponseActivations,
  measure: ResponseMeasure,
  options: { readonly seed?: number | undefined } = {},
): EstimatedNuisance {
  const { name } = measure;
  const everyone = new Float64Array(activations.pairIds.length).fill(1);
  const prompts = groupKeys(activations.promptKeys);
  const stream = namedStream(options.seed ?? 0, `nuisance ${name}`);
  const halves = drawHalves(prompts.labels.length, SPLITS, stream);
  const directions = new Map<number, Float32Array>();
  const splitHalf = new Map<number, number | undefined>();
  for (const layer of activations.layers) {
    const sides = {
      before: activations.before.get(layer)!,
      differences: activations.differences.get(layer)!,
    };
    const direction = slope(sides, measure, everyone);
    if (direction.every((value) => value === 0)) throw noVariation(name);
    directions.set(layer, Float32Array.from(direction));
    const cosines = halves.flatMap((half) => {
      const [first, second] = [1, 0].map((side) =>
        slope(
          sides,
          measure,
          everyone.map((_, i) => Number(half[prompts.of[i]!] === side)),
        ),
      );
      return cosine(first!, second!) ?? [];
    });
    splitHalf.set(
      layer,
      cosines.length === 0
        ? undefined
        : cosines.reduce((sum, each) => sum + each, 0) / cosines.length,
    );
  }
  return { name, directions, splitHalf };
}

/**
 * Another behaviour's directions as nuisances. Throws ConfigError unless they belong to the same checkpoint, tokenizer and chat
 * template.
 */
export function nuisanceOfBehavior(
  behavior: Pick<StoredBehavior, "name" | "identity" | "directions"> & {
    readonly head: Pick<StoredBehavior["head"], "features">;
  },
  { identity }: Pick<ResponseActivations, "identity">,
): Nuisance {
  const other = differingPart(behavior.identity, identity);
  if (other !== undefined) {
    throw new ConfigError(
      `orthogonal to "${behavior.name}": expected the ${IDENTITY_PARTS[other]} of ${identity.name}, got another one`,
      { hint: "Make both behaviours with the same --checkpoint, --adapter and --template." },
    );
  }
  const [given, own] = [behavior.head, identity].map((each) => describeFeatures(each.features));
  if (given !== own) {
    throw new ConfigError(`orthogonal to "${behavior.name}": expected ${own}, got ${given}`, {
      hint: "Make both behaviours with the same --features and their settings.",
    });
  }
  return { name: behavior.name, directions: behavior.directions };
}

/** Σ (measure − mean) activation within both sides, [D]; pairs count by `weights`, 0 or 1. */
function slope(
  { before, differences }: { readonly before: Float32Array; readonly differences: Float32Array },
  measure: ResponseMeasure,
  weights: Float64Array,
): Float64Array {
  const dim = before.length / weights.length;
  const without = centre(measure.before, weights);
  const shown = centre(measure.after, weights);
  const sum = new Float64Array(dim);
  // Deviations add up to zero, so the mean activation need not be taken out. After = before + difference.
  for (let i = 0; i < weights.length; i++) {
    const both = without[i]! + shown[i]!;
    const after = shown[i]!;
    if (both === 0 && after === 0) continue;
    for (let j = 0; j < dim; j++) {
      sum[j]! += both * before[i * dim + j]! + after * differences[i * dim + j]!;
    }
  }
  return sum;
}

/** Deviations from the mean of those with weight 1; 0 for the others, and for all where there is no variation. */
function centre(values: Float64Array, weights: Float64Array): Float64Array {
  const count = weights.reduce((sum, each) => sum + each, 0);
  const mean = values.reduce((sum, each, i) => sum + weights[i]! * each, 0) / count;
  const first = values.find((_, i) => weights[i] === 1);
  const isConstant = values.every((each, i) => weights[i] === 0 || each === first);
  return values.map((each, i) => (isConstant ? 0 : weights[i]! * (each - mean)));
}

function noVariation(name: string): ConfigError {
  return new ConfigError(
    `orthogonal to "${name}": expected before-responses or after-responses that differ in it, got none that do`,
    {
      hint: "Its direction cannot be told from the behaviour's here: give a behaviour file made from other response pairs.",
    },
  );
}
