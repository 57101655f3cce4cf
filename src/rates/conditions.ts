/** @file A condition is a checkpoint in a variant; the table of their rates. */
import { z } from "zod";

import { missingCauses, tallyVerdicts, type VerdictTally } from "../judge/tally-verdicts.ts";
import type { Verdict } from "../judge/verdict.ts";
import { clusteredRate, clusteredRateSchema } from "../stats/clustered-rate.ts";
import { countSchema, countsSchema, type Plain } from "../util/artifact.ts";
import { groupedCells, tallyCells } from "./scenario-cells.ts";
import { type ScenarioGroups, scenarioGroups } from "./scenario-groups.ts";

/** M0 and M1. */
export const CHECKPOINTS = ["before", "after"] as const;
export type CheckpointRole = (typeof CHECKPOINTS)[number];

/** The verdicts on the rollouts of both checkpoints, of the same scenarios. */
export type JudgedCheckpoints = { readonly [C in CheckpointRole]: readonly Verdict[] };

/** The rate of the behaviour in one condition. */
export const conditionRowSchema = z.strictObject({
  checkpoint: z.enum(CHECKPOINTS),
  variant: z.string(),
  scenarios: countSchema,
  rollouts: countSchema,
  missing: countSchema,
  /** Missing verdicts by cause. */
  causes: countsSchema,
  /** Over the judged rollouts; scenarios, those of one group together, are the units of its interval. */
  rate: clusteredRateSchema,
});
export type ConditionRow = Plain<typeof conditionRowSchema>;

/**
 * One row for each checkpoint and variant that has verdicts. `groups` are those of scenarios whose verdicts have none; a scenario without a
 * group is a unit of its own.
 */
export function conditionsTable(
  judged: JudgedCheckpoints,
  groups: ScenarioGroups = new Map(),
): readonly ConditionRow[] {
  const said = scenarioGroups([...judged.before, ...judged.after]);
  const known = new Map([...groups, ...said]);
  return CHECKPOINTS.flatMap((checkpoint) => {
    const run = tallyVerdicts(judged[checkpoint]);
    return [...run].map(([variant, scenarios]) => {
      const tallies = [...scenarios.values()];
      const total = (of: (tally: VerdictTally) => number): number =>
        tallies.reduce((sum, tally) => sum + of(tally), 0);
      return {
        checkpoint,
        variant,
        scenarios: tallies.length,
        rollouts: total(({ judged: count, missing }) => count + missing),
        missing: total(({ missing }) => missing),
        causes: missingCauses(judged[checkpoint].filter((each) => each.variant === variant)),
        rate: clusteredRate(
          groupedCells(
            tallyCells([run], variant, { scenarios: [...scenarios.keys()], groups: known }),
          ),
        ),
      };
    });
  });
}
