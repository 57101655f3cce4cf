import { quantile } from "../stats/quantile.ts";
import { wilsonShare } from "../stats/wilson.ts";
import type { LengthComparison, LengthSummary } from "./audit-report.ts";

/** Compares the lengths of both sides of the same pairs; at least one pair. */
export function compareLengths(
  unit: LengthComparison["unit"],
  chosen: Float64Array,
  rejected: Float64Array,
): LengthComparison {
  let longer = 0;
  let ties = 0;
  for (let i = 0; i < chosen.length; i++) {
    if (chosen[i]! > rejected[i]!) longer++;
    else if (chosen[i] === rejected[i]) ties++;
  }
  return {
    unit,
    pairs: chosen.length,
    chosen: summarize(chosen),
    rejected: summarize(rejected),
    longerChosen: wilsonShare(longer, chosen.length - ties),
    ties,
  };
}

function summarize(lengths: Float64Array): LengthSummary {
  return {
    mean: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
    median: quantile(lengths, 0.5),
    p90: quantile(lengths, 0.9),
  };
}
