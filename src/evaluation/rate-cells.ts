import type { VerdictTallies } from "../judge/tally-verdicts.ts";
import type { RateCells } from "../util/clustered-rate.ts";

/** The cells of a rate in one variant: one row for each run, one column for each of the prompts, in their order. */
export function tallyCells(
  runs: readonly VerdictTallies[],
  variant: string,
  prompts: readonly string[],
): RateCells {
  const tallies = runs.flatMap((run) => prompts.map((prompt) => run.get(variant)?.get(prompt)));
  return {
    seeds: runs.length,
    prompts: prompts.length,
    shows: Float64Array.from(tallies, (tally) => tally?.shows ?? 0),
    judged: Float64Array.from(tallies, (tally) => tally?.judged ?? 0),
  };
}
