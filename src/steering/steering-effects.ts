import type { RateComparison } from "../rates/compare-rates.ts";
/** @file What steering did: each arm against the others on the same prompts, and what that says of the direction. */
import { compareCells, type ScenarioCells } from "../rates/scenario-cells.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { holm } from "../stats/holm.ts";
import { variantCells, variantsOf, type VerdictRuns } from "./steered-rates.ts";
import type {
  AdjustedEffect,
  SteeringEffect,
  SteeringMode,
  SteeringVerdict,
} from "./steering-report.ts";

/** Whose text is not coherent, so that rates say nothing: the `steered` arm's, or that of every `random` direction. */
export type IncoherentText = "steered" | "random";

/** The verdicts of one layer's arms. */
export interface LayerVerdicts {
  readonly steered: VerdictRuns;
  readonly random: VerdictRuns;
  /** Absent: all of it is coherent. */
  readonly incoherent?: IncoherentText | undefined;
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
  const effects = rows.map(({ variant, isJudged, incoherent }, i): SteeringEffect => {
    const found = adjusted[i]!; // one for each row
    if (incoherent !== undefined) {
      return { variant, ...found, verdict: "incoherent", sentence: INCOHERENT[incoherent] };
    }
    const verdict = isJudged ? effectVerdict(mode, found) : "not-judged";
    return { variant, ...found, verdict, sentence: SENTENCES[mode][verdict] };
  });
  return layers.map((_, l) => effects.slice(l * variants.length, (l + 1) * variants.length));
}

/** One layer's arms in one variant. */
interface ComparedRow {
  readonly variant: string;
  readonly isJudged: boolean;
  readonly incoherent: IncoherentText | undefined;
  readonly comparisons: Comparisons<RateComparison>;
}

function compareArms(
  arms: LayerVerdicts & { readonly unsteered: VerdictRuns },
  variant: string,
  prompts: readonly ScenarioPrompt[],
): ComparedRow {
  const cells = (runs: VerdictRuns): ScenarioCells => variantCells(runs, variant, prompts);
  const steered = cells(arms.steered);
  const random = cells(arms.random);
  const unsteered = cells(arms.unsteered);
  return {
    variant,
    incoherent: arms.incoherent,
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

/** The verdict that comparisons of coherent text allow; see STEERING_VERDICTS. */
export function effectVerdict(
  mode: SteeringMode,
  comparisons: Comparisons<Pick<AdjustedEffect, "difference" | "adjustedP">>,
): ComparedVerdict {
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

type ComparedVerdict = Exclude<SteeringVerdict, "incoherent">;

const INCOHERENT: { readonly [T in IncoherentText]: string } = {
  steered:
    "Nothing can be said of the behaviour: the steered text is no longer coherent, so its rate is that of noise.",
  random:
    "Nothing can be said of the direction: with random directions the text is no longer coherent, so there is nothing to compare with.",
};

const NOT_JUDGED = "Nothing can be said: the judge has no verdict on most rollouts of an arm.";

const SENTENCES: {
  readonly [M in SteeringMode]: { readonly [V in ComparedVerdict]: string };
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
