import {
  explainedMore,
  predictionQuality,
  type QualityOptions,
} from "../stats/prediction-quality.ts";
import { wilsonShare } from "../stats/wilson.ts";
import { ConfigError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { applyModel, fitModel, forecastHeldOut, type Inputs, type Recipe } from "./combination.ts";
import { drawFolds, type Fold } from "./folds.ts";
import type {
  Calibration,
  Forecast,
  HOLDOUTS,
  Prediction,
  Score,
  ScoredBehavior,
  ScoredForecast,
} from "./forecast-file.ts";
import { joinShifts, type Observed } from "./join-shifts.ts";
import { expectSameWork } from "./same-training.ts";
import type { Measure, MeasuredShift, Shifts } from "./shifts-file.ts";

export interface ScoreOptions {
  /** Absent: margin where it was measured, else projection. */
  readonly measure?: Measure | undefined;
  /** Of a forecast without a calibration. */
  readonly holdout: Exclude<(typeof HOLDOUTS)[number], "given">;
  /** Penalty of the ridge regression. */
  readonly lambda: number;
  readonly replicates: number;
  /** Of halves and bootstrap. Absent: the forecast's. */
  readonly seed?: number | undefined;
}

/**
 * Compares a forecast with what training did. Every prediction is of a shift that its calibration has not seen: by the calibration that the forecast was made
 * with, else without the behaviour itself, its family, or a random half (HOLDOUTS). Baselines are calibrated in the same way: `length` by the mean
 * tokens of the after-responses less those of the before-responses, `margin` by M0's own log-probability margin between them, `no-change` is 0. Throws
 * ConfigError where shifts and forecast are of other checkpoints or pairs, nothing was measured, or too few behaviours are in both.
 */
export function scoreForecast(forecast: Forecast, shifts: Shifts, options: ScoreOptions): Score {
  const samePairs = expectSameWork(forecast, shifts);
  const measure = chooseMeasure(forecast, shifts, options.measure);
  const { observed, ...unmatched } = joinShifts(forecast, shifts, measure);
  const { calibration } = forecast;
  const { seed = forecast.seed } = options;
  const holdout = calibration === undefined ? options.holdout : "given";
  const names = observed.map(({ name }) => name);
  const folds = drawFolds(names, holdout, createRng(seed));
  const { recipes, missing } = listRecipes(forecast, observed);
  const predicted = predictAll(recipes, observed, { calibration, folds, lambda: options.lambda });
  for (const { name } of recipes) {
    if (!predicted.has(name)) missing[name] = "the calibration that was given has none";
  }
  const scored = recipes.filter(({ name }) => predicted.has(name));
  const held = folds.map(({ asked }) => observed[asked]!);
  const forecasts = scored.map((recipe) => {
    const rng = createRng(seed + 1); // the same samples of behaviours for all
    return scoreOne(recipe, predicted.get(recipe.name)!, held, { ...options, rng });
  });
  return {
    measure,
    trained: shifts.trained,
    samePairs,
    holdout,
    heldOut: held.length,
    ...unmatched,
    ...ownResponsesOf(forecast, shifts),
    missing,
    forecasts,
    advantages: listAdvantages(scored, predicted, held, { ...options, rng: createRng(seed + 2) }),
    behaviors: describeBehaviors(observed, folds, predicted),
    noR2:
      forecasts[0]?.r2 === undefined
        ? "all observed shifts are the same, so there is no variance to explain"
        : undefined,
    calibration: calibration ?? {
      measure,
      lambda: options.lambda,
      behaviors: names,
      pairsHash: forecast.pairs.contentHash,
      models: recipes.map((recipe) =>
        fitModel(recipe, observed.map(inputsOf), observed.map(moveOf), options.lambda),
      ),
    },
  };
}

/** Behaviours whose shift was measured on a file that they were made of. */
function ownResponsesOf(forecast: Forecast, shifts: Shifts): Pick<Score, "ownResponses"> {
  const measured = new Map(shifts.behaviors.map(({ name, responses }) => [name, responses]));
  const own = forecast.behaviors.filter(({ name, madeOf = [] }) =>
    measured.get(name)?.some((hash) => madeOf.includes(hash)),
  );
  return own.length === 0 ? {} : { ownResponses: own.map(({ name }) => name) };
}

const inputsOf = ({ inputs }: Observed): Inputs => inputs;
const moveOf = ({ shift }: Observed): number => shift.shift;
const valueOf = ({ value }: Prediction): number => value;

/** In the order of the folds. */
type Predictions = readonly Prediction[];

/** The predictions of each recipe in the order of the folds; without those that a given calibration does not have. */
function predictAll(
  recipes: readonly Recipe[],
  observed: readonly Observed[],
  {
    calibration,
    folds,
    lambda,
  }: {
    readonly calibration: Calibration | undefined;
    readonly folds: readonly Fold[];
    readonly lambda: number;
  },
): ReadonlyMap<string, Predictions> {
  const inputs = observed.map(inputsOf);
  const moves = observed.map(moveOf);
  const found = new Map<string, Predictions>();
  for (const recipe of recipes) {
    const values =
      calibration === undefined
        ? forecastHeldOut(recipe, inputs, moves, { folds, lambda })
        : byGiven(calibration, recipe, inputs);
    if (values !== undefined) found.set(recipe.name, values);
  }
  return found;
}

function scoreOne(
  { name, kind }: Recipe,
  predictions: Predictions,
  held: readonly Observed[],
  options: QualityOptions,
): ScoredForecast {
  const values = predictions.map(valueOf);
  const moves = held.map(moveOf);
  const moved = held.flatMap(({ shift }, i) => (leavesOutZero(shift) ? [i] : []));
  const hits = moved.filter((i) => isHit(values[i]!, moves[i]!));
  const covered = predictions.filter(({ low, high }, i) => low <= moves[i]! && moves[i]! <= high);
  return {
    name,
    kind,
    ...predictionQuality(values, moves, options),
    movedSigns: wilsonShare(hits.length, moved.length),
    covered: wilsonShare(covered.length, held.length),
  };
}

/** Largest observed shift first. */
function describeBehaviors(
  observed: readonly Observed[],
  folds: readonly Fold[],
  predicted: ReadonlyMap<string, Predictions>,
): readonly ScoredBehavior[] {
  const placeOf = new Map(folds.map(({ asked }, at) => [asked, at]));
  const described = observed.map(({ name, shift }, i): ScoredBehavior => {
    const at = placeOf.get(i);
    const head = { name, observed: shift, moved: leavesOutZero(shift) };
    if (at === undefined) return head;
    const own = [...predicted].map(([recipe, values]) => [recipe, values[at]!] as const);
    const byName = Object.fromEntries(own);
    return {
      ...head,
      predicted: byName,
      hit: isHit(byName["combination"]?.value ?? 0, shift.shift),
    };
  });
  return described.toSorted((a, b) => b.observed.shift - a.observed.shift);
}

/** R² of the combination less that of each baseline. */
function listAdvantages(
  recipes: readonly Recipe[],
  predicted: ReadonlyMap<string, Predictions>,
  held: readonly Observed[],
  options: QualityOptions,
): Score["advantages"] {
  const own = predicted.get("combination")?.map(valueOf);
  return recipes.flatMap(({ name, kind }) => {
    const other = kind === "baseline" ? predicted.get(name)?.map(valueOf) : undefined;
    if (own === undefined || other === undefined) return [];
    const found = explainedMore(own, other, held.map(moveOf), options);
    return found === undefined ? [] : [{ over: name, ...found }];
  });
}

const isHit = (predicted: number, observed: number): boolean =>
  predicted !== 0 && Math.sign(predicted) === Math.sign(observed);

/** Whether training is known to have moved it. */
const leavesOutZero = ({ low, high }: MeasuredShift): boolean =>
  low !== undefined && high !== undefined && (low > 0 || high < 0);

function chooseMeasure(
  { calibration }: Forecast,
  { behaviors }: Shifts,
  asked: Measure | undefined,
): Measure {
  const has = (measure: Measure): boolean => behaviors.some((each) => each[measure] !== undefined);
  const measure = asked ?? calibration?.measure ?? (has("margin") ? "margin" : "projection");
  if (!has(measure)) {
    throw new ConfigError(`measure: expected one that was measured, got ${measure}`, {
      hint: "culprit shifts measures margins of --responses, and projections of rollouts.",
    });
  }
  if (calibration === undefined || calibration.measure === measure) return measure;
  throw new ConfigError(
    `measure: expected ${calibration.measure}, which the calibration is of, got ${measure}`,
  );
}

/** The combination of all predictors, each by itself, and the baselines. */
function listRecipes(
  { predictors }: Forecast,
  observed: readonly Observed[],
): { readonly recipes: readonly Recipe[]; readonly missing: Record<string, string> } {
  const missing: Record<string, string> = {};
  const has = (name: string): boolean => observed.every(({ inputs }) => name in inputs);
  const used = predictors.filter((name) => has(name) || !(missing[name] = "not of all behaviours"));
  const known = (["length", "margin"] as const).filter(
    (name) => has(name) || !(missing[name] = "culprit shifts measured no margins"),
  );
  const one = (kind: Recipe["kind"]) => (name: string) => ({ name, kind, inputs: [name] });
  return {
    recipes: [
      { name: "combination", kind: "combination", inputs: used },
      ...used.map(one("predictor")),
      { name: "no-change", kind: "baseline", inputs: [] },
      ...known.map(one("baseline")),
    ],
    missing,
  };
}

/** By models that were fitted before, on other data; undefined where there is none of this name. */
function byGiven(
  { models }: Calibration,
  { name }: Recipe,
  behaviors: readonly Inputs[],
): Predictions | undefined {
  const model = models.find((each) => each.name === name);
  const values = model && behaviors.map((inputs) => applyModel(model, (input) => inputs[input]));
  return values?.every((value) => value !== undefined) === true ? values : undefined;
}
