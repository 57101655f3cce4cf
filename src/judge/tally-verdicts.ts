import { z } from "zod";

import { countSchema } from "../util/artifact.ts";
import { commonestFirst } from "../util/commonest-first.ts";
import { isMissing, type Verdict } from "./verdict.ts";

/** The verdicts of one scenario in one variant. */
export const verdictTallySchema = z.strictObject({
  shows: countSchema,
  /** With a label. */
  judged: countSchema,
  /** Without one. */
  missing: countSchema,
});
export type VerdictTally = z.output<typeof verdictTallySchema>;

/** Verdicts counted by variant, then by scenario, both in the order in which they are first seen. */
export type VerdictTallies = ReadonlyMap<string, ReadonlyMap<string, Readonly<VerdictTally>>>;

/** Counts verdicts by variant and scenario; missing ones are counted and are in no rate. */
export function tallyVerdicts(verdicts: Iterable<Verdict>): VerdictTallies {
  const variants = new Map<string, Map<string, VerdictTally>>();
  for (const verdict of verdicts) {
    let scenarios = variants.get(verdict.variant);
    if (scenarios === undefined) variants.set(verdict.variant, (scenarios = new Map()));
    let tally = scenarios.get(verdict.scenario);
    if (tally === undefined) {
      scenarios.set(verdict.scenario, (tally = { shows: 0, judged: 0, missing: 0 }));
    }
    if (isMissing(verdict)) {
      tally.missing++;
    } else {
      tally.judged++;
      if (verdict.label === "shows") tally.shows++;
    }
  }
  return variants;
}

/** How many verdicts are missing for each cause, the commonest first. */
export function missingCauses(verdicts: Iterable<Verdict>): Readonly<Record<string, number>> {
  const causes = new Map<string, number>();
  for (const verdict of verdicts) {
    if (isMissing(verdict)) causes.set(verdict.missing, (causes.get(verdict.missing) ?? 0) + 1);
  }
  return commonestFirst(causes);
}
