import { join } from "node:path";

import { createRulesJudge } from "../../judge/rules-judge.ts";
import { writeVerdicts } from "../../judge/verdict.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage } from "../stage.ts";
import { readStageRollouts } from "./rollouts.ts";

export const VERDICTS_NAME = "verdicts.jsonl";

/** One verdict for each rollout of another stage; what cannot be judged is missing with its cause. */
export function judgeStage(
  kind: "judge" | "evaluation-judge",
  name: string,
  inputs: ExperimentInputs,
): Stage {
  const { rules } = inputs;
  if (rules === undefined) throw new Error("internal: no judge");
  return {
    kind,
    name,
    version: 1,
    settings: { kind: "rules", rules },
    inputs: {
      rollouts: { stage: `${kind === "judge" ? "rollouts" : "evaluation-rollouts"}-${name}` },
    },
    run: async ({ directory, input, signal, progress }) => {
      const skipped = await readSkipped(input("rollouts"));
      if (skipped !== undefined) return writeSkipped(directory, skipped);
      const verdicts = createRulesJudge(rules).judge(readStageRollouts(input("rollouts")), {
        progress: progress("rollouts"),
        ...(signal === undefined ? {} : { signal }),
      });
      return writeVerdicts(join(directory, VERDICTS_NAME), verdicts);
    },
  };
}
