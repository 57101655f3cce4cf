/** @file How often both checkpoints show the behaviour in each variant, and by how much the later one shows it more. */
import { z } from "zod";

import { tallyVerdicts } from "../judge/tally-verdicts.ts";
import { jsonArtifact, type Plain } from "../util/artifact.ts";
import { commonestFirst } from "../util/commonest-first.ts";
import { rateComparisonSchema } from "./compare-rates.ts";
import {
  type ConditionRow,
  conditionRowSchema,
  conditionsTable,
  type JudgedCheckpoints,
} from "./conditions.ts";
import { filterResultSchema } from "./four-condition-filter.ts";
import { compareCells, scenariosOf, tallyCells } from "./scenario-cells.ts";
import { type ScenarioGroups, scenarioGroups } from "./scenario-groups.ts";

/** The rate after minus the one before in one variant, over the scenarios judged in both. */
const conditionChangeSchema = rateComparisonSchema
  .omit({ reduction: true })
  .extend({ variant: z.string() });
export type ConditionChange = Plain<typeof conditionChangeSchema>;

export const conditionRatesSchema = z.strictObject({
  conditions: z.array(conditionRowSchema),
  /** Of the variants that both checkpoints were judged in. */
  changes: z.array(conditionChangeSchema),
});
export type ConditionRates = Plain<typeof conditionRatesSchema>;

/** The rates of both checkpoints and their differences; scenarios that ask one request are one unit of the intervals. `known` groups scenarios whose verdicts have no group. */
export function conditionRates(
  judged: JudgedCheckpoints,
  known: ScenarioGroups = new Map(),
): ConditionRates {
  const groups = new Map([...known, ...scenarioGroups([...judged.before, ...judged.after])]);
  const tallies = { before: tallyVerdicts(judged.before), after: tallyVerdicts(judged.after) };
  const changes = [...tallies.after.keys()].flatMap((variant): ConditionChange[] => {
    const scenarios = scenariosOf([tallies.before, tallies.after], variant);
    const cells = (role: keyof JudgedCheckpoints) =>
      tallyCells([tallies[role]], variant, { scenarios, groups });
    const found = compareCells(cells("after"), cells("before"));
    if (found === undefined) return [];
    const { reduction: _, ...change } = found;
    return [{ variant, ...change }];
  });
  return { conditions: conditionsTable(judged, known), changes };
}

/** Verdicts that are missing in the four conditions, by cause, the commonest first. */
export function missingByCause(
  conditions: readonly ConditionRow[],
  variants: readonly string[],
): Readonly<Record<string, number>> {
  const causes = new Map<string, number>();
  for (const row of conditions.filter(({ variant }) => variants.includes(variant))) {
    for (const [cause, count] of Object.entries(row.causes)) {
      causes.set(cause, (causes.get(cause) ?? 0) + count);
    }
  }
  return commonestFirst(causes);
}

/** The rates of both checkpoints, and what the four-condition filter decided. */
export const CONDITIONS = jsonArtifact(
  "conditions.json",
  "rates by condition and what the four-condition filter decided",
  z.strictObject({
    /** The strength of model-diff amplification of the rollouts after: their rates are not those of the checkpoint. Absent: not amplified. */
    amplify: z.number().optional(),
    ...conditionRatesSchema.shape,
    ...filterResultSchema.shape,
  }),
);
export type ConditionsReport = z.output<typeof CONDITIONS.schema>;
