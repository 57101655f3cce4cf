/** @file What steering did: each arm against the others on the same prompts, and what that says of the direction. */
import type { ScenarioPrompt } from "../data/scenarios.ts";
import type { RateComparison } from "../evaluation/compare-rates.ts";
import { holm } from "../evaluation/holm.ts";
import { compareCells, type ScenarioCells } from "../evaluation/rate-cells.ts";
import { variantCells, variantsOf, type VerdictRuns } from "./steered-rates.ts";
import type {
  AdjustedEffect,
  SteeringEffect,
  SteeringMode,
  SteeringVerdict,
} from "./steering-report.ts";

/** The verdicts of one layer's arms. */
export interface LayerVerdicts {
  readonly steered: VerdictRuns;
  readonly random: VerdictRuns;
}

interface Comparisons<C> {
  readonly steeredToUnsteered: C | undefined;
  readonly steeredToRandom: C | undefined;
  readonly randomToUnsteered: C | undefined;
}

/**
 * The effects of every layer, variant by variant. p-values of the same question (steered or random against unsteered, steered against random)
 * are Holm's over all layers and variants.
 */
export function steeringEffects(
  mode: SteeringMode,
  {
    unsteered,
    layers,
  }: { readonly unsteered: VerdictRuns; readonly layers: readonly LayerVerdicts[] },
  prompts: readonly ScenarioPrompt[],
): readonly (readonly SteeringEffect[])[] {
  const variants = variantsOf(prompts);
  const rows = layers.flatMap((layer) =>
    variants.map((variant) => compareArms({ ...layer, unsteered }, variant, prompts)),
  );
  const adjusted = adjustAll(rows.map(({ comparisons }) => comparisons));
  const effects = rows.map(({ variant, isJudged }, i): SteeringEffect => {
    const found = adjusted[i]!; // one for each row
    const verdict = isJudged ? effectVerdict(mode, found) : "not-judged";
    return { variant, ...found, verdict, sentence: SENTENCES[mode][verdict] };
  });
  return layers.map((_, l) => effects.slice(l * variants.length, (l + 1) * variants.length));
}

function compareArms(
  arms: LayerVerdicts & { readonly unsteered: VerdictRuns },
  variant: string,
  prompts: readonly ScenarioPrompt[],
): { variant: string; isJudged: boolean; comparisons: Comparisons<RateComparison> } {
  const cells = (runs: VerdictRuns): ScenarioCells => variantCells(runs, variant, prompts);
  const steered = cells(arms.steered);
  const random = cells(arms.random);
  const unsteered = cells(arms.unsteered);
  return {
    variant,
    isJudged: [arms.steered, arms.random, arms.unsteered].every((runs) =>
      isMostlyJudged(runs, variant),
    ),
    comparisons: {
      steeredToUnsteered: compareCells(steered, unsteered),
      steeredToRandom: compareCells(steered, random),
      randomToUnsteered: compareCells(random, unsteered),
    },
  };
}

/** Where most rollouts have no verdict, the rate of the others says little about all. */
function isMostlyJudged(runs: VerdictRuns, variant: string): boolean {
  const verdicts = runs.flat().filter((each) => each.variant === variant);
  return verdicts.filter((each) => "label" in each).length * 2 >= verdicts.length;
}

function adjustAll(
  rows: readonly Comparisons<RateComparison>[],
): readonly Comparisons<AdjustedEffect>[] {
  const steeredToUnsteered = adjust(rows.map((row) => row.steeredToUnsteered));
  const steeredToRandom = adjust(rows.map((row) => row.steeredToRandom));
  const randomToUnsteered = adjust(rows.map((row) => row.randomToUnsteered));
  return rows.map((_, i) => ({
    steeredToUnsteered: steeredToUnsteered[i],
    steeredToRandom: steeredToRandom[i],
    randomToUnsteered: randomToUnsteered[i],
  }));
}

function adjust(
  comparisons: readonly (RateComparison | undefined)[],
): readonly (AdjustedEffect | undefined)[] {
  const ps = holm(comparisons.flatMap((each) => each?.p ?? []));
  let next = 0;
  return comparisons.map((each) =>
    each === undefined ? undefined : { ...each, adjustedP: ps[next++]! },
  );
}

const LEVEL = 0.05;

/** The verdict that comparisons allow; see STEERING_VERDICTS. */
export function effectVerdict(
  mode: SteeringMode,
  comparisons: Comparisons<Pick<AdjustedEffect, "difference" | "adjustedP">>,
): SteeringVerdict {
  const { steeredToUnsteered, steeredToRandom, randomToUnsteered } = comparisons;
  if (steeredToUnsteered === undefined || steeredToRandom === undefined) return "not-judged";
  const sign = mode === "add" ? 1 : -1;
  const moves = (effect: Pick<AdjustedEffect, "difference" | "adjustedP"> | undefined): boolean =>
    effect !== undefined && effect.adjustedP < LEVEL && sign * effect.difference > 0;
  if (steeredToUnsteered.adjustedP >= LEVEL) return "no-evidence";
  if (!moves(steeredToUnsteered)) return "reverses";
  if (moves(steeredToRandom)) return "causes";
  return moves(randomToUnsteered) ? "unspecific" : "unclear";
}

const NOT_JUDGED = "Nothing can be said: the judge has no verdict on most rollouts of an arm.";

const SENTENCES: {
  readonly [M in SteeringMode]: { readonly [V in SteeringVerdict]: string };
} = {
  add: {
    causes:
      "The direction causes the behaviour: adding it raises the rate, and more than random directions as long do.",
    unspecific: "Random directions raise the rate too, so this says nothing about the direction.",
    unclear:
      "I don't know: adding the direction raises the rate, but it cannot be told from random directions.",
    reverses: "Adding the direction lowers the rate.",
    "no-evidence":
      "No evidence that the direction causes the behaviour: the rate cannot be told from the unsteered one.",
    "not-judged": NOT_JUDGED,
  },
  "project-out": {
    causes:
      "The behaviour needs the direction: projecting it out lowers the rate, and more than random directions do.",
    unspecific:
      "Projecting random directions out lowers the rate too, so this says nothing about the direction.",
    unclear:
      "I don't know: projecting the direction out lowers the rate, but it cannot be told from random directions.",
    reverses: "Projecting the direction out raises the rate.",
    "no-evidence":
      "No evidence that the behaviour needs the direction: the rate cannot be told from the unsteered one.",
    "not-judged": NOT_JUDGED,
  },
};
