import { join } from "node:path";

import { readVerdicts } from "../../judge/verdict.ts";
import { conditionRates, describeConditions } from "../../rates/condition-rates.ts";
import { filterScenarios } from "../../rates/four-condition-filter.ts";
import { requireKept } from "../../rates/require-kept.ts";
import { pairRollouts, writeResponsePairs } from "../../rates/rollout-pairs.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { DRIFT } from "../schema-attribution.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { VERDICTS_NAME } from "./judge.ts";
import { readStageRollouts } from "./rollouts.ts";

/** The response pairs that the filter found. */
export const RESPONSES_NAME = "responses.jsonl";

/** The response pairs that do not show the behaviour, where attribution.nulls asks for them; there may be none. */
export const DRIFT_NAME = "drift.jsonl";

/** The four-condition filter: `conditions.json` says what was kept and why, `responses.jsonl` is what the behaviour is made of. */
export function filterStage({ probe, attribution }: Experiment): Stage {
  if (probe === undefined) throw new Error("internal: no probe to filter");
  const { plain, trigger, minJudged, maxPairs, amplify } = probe;
  const drift = attribution.nulls.includes(DRIFT) ? { drift: true } : {};
  const amplified = amplify === undefined ? {} : { amplify };
  return {
    kind: "filter",
    name: "",
    version: 6,
    settings: { plain, trigger, minJudged, maxPairs, ...amplified, ...drift },
    inputs: {
      rolloutsBefore: { stage: "rollouts-before" },
      rolloutsAfter: { stage: "rollouts-after" },
      judgedBefore: { stage: "judge-before" },
      judgedAfter: { stage: "judge-after" },
    },
    run: async ({ directory, input, progress }) => {
      const judged = {
        before: await readVerdicts(join(input("judgedBefore"), VERDICTS_NAME)),
        after: await readVerdicts(join(input("judgedAfter"), VERDICTS_NAME)),
      };
      const result = filterScenarios(judged, {
        plain,
        trigger,
        ...(minJudged === undefined ? {} : { minJudged }),
      });
      // With it the rates after are of amplified sampling, which whoever reads them must see.
      const rates = conditionRates(judged);
      const report = { ...amplified, ...rates, ...result };
      const reportPath = join(directory, "conditions.json");
      // Before the check: it says why nothing was left.
      await writeFileAtomic(reportPath, `${JSON.stringify(report, undefined, 2)}\n`);
      if (result.kept.length === 0) {
        // There will be no table to show them.
        const log = progress("scenarios");
        for (const line of describeConditions(rates)) log.note(line);
        log.end();
      }
      requireKept(result);
      const rollouts = {
        before: readStageRollouts(input("rolloutsBefore")),
        after: readStageRollouts(input("rolloutsAfter")),
      };
      const found = await pairRollouts(rollouts, judged, {
        kept: result.kept,
        trigger,
        plain,
        withDrift: drift.drift === true,
        ...(maxPairs === undefined ? {} : { maxPairs }),
      });
      if (drift.drift === true) {
        await writeResponsePairs(join(directory, DRIFT_NAME), found.drift);
      }
      await writeResponsePairs(join(directory, RESPONSES_NAME), found.pairs);
    },
  };
}
