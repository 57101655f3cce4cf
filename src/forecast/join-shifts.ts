/** @file The behaviours of a forecast beside what training did to them. */
import type { Inputs } from "./combination.ts";
import type { Forecast, Score } from "./forecast-file.ts";
import type { Measure, MeasuredShift, ShiftedBehavior, Shifts } from "./shifts-file.ts";

/** A behaviour with both a forecast and an observed shift. */
export interface Observed {
  readonly name: string;
  readonly inputs: Inputs;
  readonly shift: MeasuredShift;
}

/** Those that have both, and the names of those that have one alone. */
export function joinShifts(
  { behaviors }: Forecast,
  shifts: Shifts,
  measure: Measure,
): Pick<Score, "unobserved" | "unforecast"> & { readonly observed: readonly Observed[] } {
  const found = new Map(shifts.behaviors.map((each) => [each.name, each]));
  const observed = behaviors.flatMap(({ name, values }): Observed[] => {
    const own = found.get(name);
    const shift = own?.[measure];
    if (own === undefined || shift === undefined) return [];
    const read = Object.entries(values).map(([predictor, { value }]) => [predictor, value]);
    return [{ name, shift, inputs: { ...Object.fromEntries(read), ...baselinesOf(own, measure) } }];
  });
  const names = new Set(behaviors.map(({ name }) => name));
  const seen = new Set(observed.map(({ name }) => name));
  return {
    observed,
    unobserved: [...names].filter((name) => !seen.has(name)),
    unforecast: [...found.keys()].filter((name) => !names.has(name)),
  };
}

/** What is known of a behaviour before training without its activations; M0's margin in the unit of the shift, where that is one. */
function baselinesOf(own: ShiftedBehavior, measure: Measure): Inputs {
  const margin = own[measure === "projection" ? "margin" : measure];
  return {
    ...(own.tokens !== undefined && { length: own.tokens }),
    ...(margin !== undefined && { margin: margin.before }),
  };
}
