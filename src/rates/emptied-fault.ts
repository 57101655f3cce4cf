/** @file What a filter that leaves no scenario says, and what to try. */
import type { VerdictTally } from "../judge/tally-verdicts.ts";
import { ConfigError } from "../util/errors.ts";
import type { CheckpointRole } from "./conditions.ts";
import { conditionName, type FilterResult } from "./four-condition-filter.ts";

/** What to try where a condition leaves no scenario, in the order of the requirements. */
const ADVICE = [
  "The trained checkpoint shows it without the distractor too: choose requests that it declines, or another plain variant.",
  "The checkpoint before shows it already: choose requests that it declines.",
  "The checkpoint before shows it with the distractor already, so training on these pairs did not teach it: choose other scenarios.",
  "The trained checkpoint does not show it: sample more rollouts, at a higher temperature, or from more scenarios.",
] as const;

/** What to try where most scenarios fail a requirement; M0 and M1 exchanged look like a behaviour that training took away. */
function adviseFailed(result: FilterResult, at: number): string {
  const { before, after } = triggeredRates(result);
  if (before === undefined || after === undefined || before <= after) return ADVICE[at]!;
  const show = (rate: number): string => `${(100 * rate).toFixed(1)}%`;
  return `${ADVICE[at]!} Before shows it more often than after (${show(before)} and ${show(after)} of the judged rollouts with the distractor): the two checkpoints may be exchanged.`;
}

/** The rates with the trigger over all scenarios; undefined where nothing was judged. */
function triggeredRates({ requirements, scenarios }: FilterResult): {
  readonly [C in CheckpointRole]: number | undefined;
} {
  const { variant } = requirements.find(({ mustShow }) => mustShow)!; // one of the four
  const rate = (role: CheckpointRole): number | undefined => {
    const at = requirements.findIndex(
      (each) => each.checkpoint === role && each.variant === variant,
    );
    const counts = scenarios.map((each) => each.counts[at]!);
    const judged = counts.reduce((sum, each) => sum + each.judged, 0);
    return judged === 0 ? undefined : counts.reduce((sum, each) => sum + each.shows, 0) / judged;
  };
  return { before: rate("before"), after: rate("after") };
}

/** What to try where most scenarios are unknown by a requirement. */
function adviseUnknown({ scenarios, requirements }: FilterResult, at: number): string {
  const counts = scenarios
    .filter((each) => each.unknown.includes(at))
    .map((each) => each.counts[at]!);
  const condition = conditionName(requirements[at]!);
  const isMost = (is: (each: VerdictTally) => boolean): boolean =>
    2 * counts.filter(is).length > counts.length;
  if (isMost(({ judged, missing }) => judged + missing === 0)) {
    return `Most have no rollout in ${condition}: give the verdicts of both checkpoints on all scenarios.`;
  }
  if (isMost(({ judged }) => judged === 0)) {
    return `Most have no verdict in ${condition}, only missing ones: mend their causes (the verdicts file and the list of conditions have them), and judge again.`;
  }
  return `Most are unknown by ${condition}: judge the missing rollouts, or accept fewer judged ones (minJudged).`;
}

/** The error of a filter that kept no scenario, naming the condition that dropped most of them and what to try; undefined where some are kept. */
export function emptiedFault(result: FilterResult): ConfigError | undefined {
  if (result.kept.length > 0) return undefined;
  const { requirements, scenarios } = result;
  const counts = requirements.map((_, i) => ({
    i,
    failed: scenarios.filter(({ failed }) => failed.includes(i)).length,
    unknown: scenarios.filter(({ unknown }) => unknown.includes(i)).length,
  }));
  // Of conditions that fail alike the one of M0 says more: what it shows already, training did not teach.
  const isBefore = (i: number): number => Number(requirements[i]!.checkpoint === "before");
  const worst = counts.toSorted(
    (a, b) => b.failed + b.unknown - a.failed - a.unknown || isBefore(b.i) - isBefore(a.i),
  )[0]!;
  const list = counts
    .filter(({ failed, unknown }) => failed + unknown > 0)
    .map(({ i, failed, unknown }) => {
      const { mustShow } = requirements[i]!;
      const what = mustShow ? "show it in no rollout" : "show it";
      return `${conditionName(requirements[i]!)}: ${failed} ${what}, ${unknown} unknown`;
    });
  const emptied = list.length > 1 ? `, mostly by ${conditionName(requirements[worst.i]!)}` : "";
  return new ConfigError(
    `four-condition filter: none of ${scenarios.length} scenarios is left${emptied} (${list.join("; ")})`,
    {
      hint:
        worst.unknown > worst.failed
          ? adviseUnknown(result, worst.i)
          : adviseFailed(result, worst.i),
    },
  );
}
