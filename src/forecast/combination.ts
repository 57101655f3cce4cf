/** @file From predictors, whose units say nothing of shifts, to forecasts in the unit of a shift. n behaviours. */
import { quantile } from "../stats/quantile.ts";
import { applyRidge, fitRidge } from "../stats/ridge.ts";
import { eachInTurn, type Fold } from "./folds.ts";
import type { Model } from "./forecast-file.ts";

/** A forecast to be calibrated: what it is made of. */
export interface Recipe {
  readonly name: string;
  readonly kind: "combination" | "predictor" | "baseline";
  readonly inputs: readonly string[];
}

/** The inputs of a behaviour by name. */
export type Inputs = Readonly<Record<string, number>>;

/** The model's forecast; undefined where an input is. */
export function applyModel(
  { inputs, weights }: Model,
  valueOf: (name: string) => number | undefined,
): number | undefined {
  const row = inputs.map(valueOf);
  return row.every((value) => value !== undefined) ? applyRidge({ weights }, row) : undefined;
}

/** A forecast for each fold by ridge regression through the origin (fitRidge) of the shifts of those that calibrate it. No inputs forecast 0. */
export function forecastHeldOut(
  { inputs }: Recipe,
  behaviors: readonly Inputs[],
  shifts: readonly number[],
  { folds, lambda }: { readonly folds: readonly Fold[]; readonly lambda: number },
): readonly number[] {
  const rowOf = (i: number): readonly number[] => inputs.map((name) => behaviors[i]![name]!);
  return folds.map(({ asked, known }) => {
    if (inputs.length === 0) return 0;
    const fit = fitRidge(
      known.map(rowOf),
      known.map((i) => shifts[i]!),
      lambda,
    );
    return applyRidge(fit, rowOf(asked));
  });
}

/** Share of the calibrating behaviours that lie within a model's reach. */
const REACHED = 0.95;

/** Fitted on all behaviours, with how far off its leave-one-out forecasts are (the jackknife+ of Barber et al. 2021, without its correction). */
export function fitModel(
  recipe: Recipe,
  behaviors: readonly Inputs[],
  shifts: readonly number[],
  lambda: number,
): Model {
  const { name, inputs } = recipe;
  const rows = behaviors.map((each) => inputs.map((input) => each[input]!));
  const heldOut = forecastHeldOut(recipe, behaviors, shifts, {
    folds: eachInTurn(shifts.length),
    lambda,
  });
  const errors = heldOut.map((value, i) => Math.abs(value - shifts[i]!));
  return {
    name,
    inputs: [...inputs],
    weights: inputs.length === 0 ? [] : [...fitRidge(rows, shifts, lambda).weights],
    reach: quantile(errors, REACHED),
  };
}
