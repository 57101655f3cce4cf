/** @file From predictors, whose units say nothing of shifts, to forecasts in the unit of a shift. n behaviours. */
import { quantile } from "../stats/quantile.ts";
import { applyRidge, fitRidge, ridgeErrors } from "../stats/ridge.ts";
import type { Fold } from "./folds.ts";
import type { Model, Prediction } from "./forecast-file.ts";

/** A forecast to be calibrated: what it is made of. */
export interface Recipe {
  readonly name: string;
  readonly kind: "combination" | "predictor" | "baseline";
  readonly inputs: readonly string[];
}

/** The inputs of a behaviour by name. */
export type Inputs = Readonly<Record<string, number>>;

/** The model's forecast with its interval; undefined where an input is. */
export function applyModel(
  { inputs, weights, reach }: Model,
  valueOf: (name: string) => number | undefined,
): Prediction | undefined {
  const row = inputs.map(valueOf);
  if (!row.every((input) => input !== undefined)) return undefined;
  const value = applyRidge({ weights }, row);
  return { value, low: value - reach, high: value + reach };
}

/** Share of the calibrating behaviours that lie within a forecast's interval. */
const REACHED = 0.95;

/**
 * A forecast for each fold by ridge regression through the origin (fitRidge) of the shifts of those that calibrate it, and an interval as wide
 * as 95% of these lie off what the others among them forecast (the jackknife of Barber et al. 2021); where families are held out, those of
 * other families. No inputs forecast 0.
 *
 * Worked: one input, (1, −1) with shifts (3, −1) calibrate, λ = 2, asked at 2: weight 1, errors 8/3 and 0, forecast 2 ± 2.53.
 */
export function forecastHeldOut(
  { inputs }: Recipe,
  behaviors: readonly Inputs[],
  shifts: readonly number[],
  { folds, lambda }: { readonly folds: readonly Fold[]; readonly lambda: number },
): readonly Prediction[] {
  const rowOf = (i: number): readonly number[] => inputs.map((name) => behaviors[i]![name]!);
  return folds.map(({ asked, known, families }) => {
    const { weights, reach } = fitReaching(
      known.map(rowOf),
      known.map((i) => shifts[i]!),
      { lambda, families },
    );
    const value = applyRidge({ weights }, rowOf(asked));
    return { value, low: value - reach, high: value + reach };
  });
}

/** Fitted on all behaviours, with how far off leave-one-out forecasts of them are. */
export function fitModel(
  { name, inputs }: Recipe,
  behaviors: readonly Inputs[],
  shifts: readonly number[],
  lambda: number,
): Model {
  const rows = behaviors.map((each) => inputs.map((input) => each[input]!));
  return { name, inputs: [...inputs], ...fitReaching(rows, shifts, { lambda }) };
}

function fitReaching(
  rows: readonly (readonly number[])[],
  shifts: readonly number[],
  {
    lambda,
    families,
  }: { readonly lambda: number; readonly families?: readonly string[] | undefined },
): Pick<Model, "weights" | "reach"> {
  const reach = (errors: readonly number[]): number => quantile(errors.map(Math.abs), REACHED);
  if (rows[0]?.length === 0) return { weights: [], reach: reach(shifts) };
  return {
    weights: [...fitRidge(rows, shifts, lambda).weights],
    reach: reach(
      families === undefined || new Set(families).size < 2
        ? ridgeErrors(rows, shifts, lambda)
        : errorsByFamily(rows, shifts, { lambda, families }),
    ),
  };
}

/** How far each lies from what those of other families forecast. */
function errorsByFamily(
  rows: readonly (readonly number[])[],
  shifts: readonly number[],
  { lambda, families }: { readonly lambda: number; readonly families: readonly string[] },
): readonly number[] {
  return [...new Set(families)].flatMap((family) => {
    const others = [...rows.keys()].filter((i) => families[i] !== family);
    const fit = fitRidge(
      others.map((i) => rows[i]!),
      others.map((i) => shifts[i]!),
      lambda,
    );
    return [...rows.keys()]
      .filter((i) => families[i] === family)
      .map((i) => shifts[i]! - applyRidge(fit, rows[i]!));
  });
}
