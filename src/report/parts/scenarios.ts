import { join } from "node:path";

import { isMissing, type Verdict, VERDICTS } from "../../judge/verdict.ts";
import { CONDITIONS, type ConditionsReport } from "../../rates/condition-rates.ts";
import { CHECKPOINTS, type CheckpointRole } from "../../rates/conditions.ts";
import { type Rollout, ROLLOUTS } from "../../rollouts/rollouts.ts";
import { definePart } from "../report-part.ts";
import type { RunFolder } from "../run-folder.ts";

/** Longer responses are cut; in characters. */
const MAX_RESPONSE = 4_000;
/** Responses of one scenario in one condition that are shown. */
const MAX_ROLLOUTS = 6;
/** Characters that all rollouts together may have. */
const MAX_TEXT = 1_500_000;

/** A sampled response with what the judge said of it. */
export interface ShownRollout {
  readonly sample: number;
  readonly response: string;
  readonly verdict: "shows" | "not" | "missing" | "not judged";
  /** Of a missing verdict its cause, else what the judge gave as its reason. */
  readonly reason: string | undefined;
  readonly score: number | undefined;
}

/** The rollouts of one scenario in one condition. */
export interface ShownCondition {
  readonly checkpoint: CheckpointRole;
  readonly variant: string;
  readonly prompt: string;
  readonly rollouts: readonly ShownRollout[];
  /** That are not here. */
  readonly more: number;
}

/** Rates in the four conditions, what the filter decided of each scenario, and rollouts with their verdicts. */
export const scenariosPart = definePart({
  name: "scenarios",
  read: async ({ run }) => {
    const folder = run.stage("conditions");
    if (folder === undefined) return undefined;
    const report = await CONDITIONS.read(join(folder, CONDITIONS.name));
    const conditions = await showConditions(run, report);
    const order = { kept: 0, unknown: 1, dropped: 2 } as const;
    const scenarios = report.scenarios
      .toSorted((a, b) => order[a.decision] - order[b.decision])
      .map((each) => ({ ...each, conditions: conditions(each.scenario) }));
    return { ...report, scenarios };
  },
});

/** The rollouts of every scenario in the conditions of the filter, while there is room. */
async function showConditions(
  run: RunFolder,
  { requirements }: ConditionsReport,
): Promise<(scenario: string) => readonly ShownCondition[]> {
  const sampled = {
    before: await readJudged(run, "before"),
    after: await readJudged(run, "after"),
  };
  let room = MAX_TEXT;
  return (scenario) =>
    CHECKPOINTS.flatMap((checkpoint) =>
      [...new Set(requirements.map(({ variant }) => variant))].map((variant) => {
        const all = sampled[checkpoint].get(`${scenario}\n${variant}`) ?? [];
        const shown = all
          .toSorted((a, b) => shownFirst(a.shown) - shownFirst(b.shown))
          .slice(0, room > 0 ? MAX_ROLLOUTS : 0);
        const prompt = all[0]?.prompt ?? "";
        room -= shown.reduce((sum, each) => sum + each.shown.response.length, prompt.length);
        return {
          checkpoint,
          variant,
          prompt,
          rollouts: shown.map((each) => each.shown),
          more: all.length - shown.length,
        };
      }),
    );
}

const shownFirst = ({ verdict }: ShownRollout): number => (verdict === "shows" ? 0 : 1);

interface Judged {
  readonly prompt: string;
  readonly shown: ShownRollout;
}

/** By scenario and variant. */
async function readJudged(
  run: RunFolder,
  role: CheckpointRole,
): Promise<ReadonlyMap<string, readonly Judged[]>> {
  const [generated, judged] = [run.stage(`generate-${role}`), run.stage(`judge-${role}`)];
  const found = new Map<string, Judged[]>();
  if (generated === undefined) return found;
  const verdicts = new Map<string, Verdict>();
  if (judged !== undefined) {
    for (const each of await VERDICTS.read(join(judged, VERDICTS.name))) {
      verdicts.set(each.rollout, each);
    }
  }
  for await (const rollout of await ROLLOUTS.read(join(generated, ROLLOUTS.name))) {
    const key = `${rollout.scenario}\n${rollout.variant}`;
    const list = found.get(key) ?? [];
    found.set(key, list);
    list.push(showRollout(rollout, verdicts.get(rollout.id)));
  }
  return found;
}

function showRollout({ sample, response, prompt }: Rollout, verdict: Verdict | undefined): Judged {
  const said =
    verdict === undefined
      ? ({ verdict: "not judged", reason: undefined, score: undefined } as const)
      : isMissing(verdict)
        ? ({ verdict: "missing", reason: verdict.missing, score: undefined } as const)
        : { verdict: verdict.label, reason: verdict.reason, score: verdict.score };
  return {
    prompt: prompt
      .map(({ content }) => content)
      .join("\n\n")
      .slice(0, MAX_RESPONSE),
    shown: { sample, response: response.slice(0, MAX_RESPONSE), ...said },
  };
}
