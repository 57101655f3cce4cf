import { join } from "node:path";

import { writeVerdicts } from "../../judge/verdict.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import { type Stage, stageId, type StageWork } from "../stage.ts";
import { withAbsent } from "./absent-rollouts.ts";
import { judgeByPeople } from "./judge-human.ts";
import { estimateLlmJudging } from "./judge-llm.ts";
import { plannedRollouts } from "./planned-rollouts.ts";
import { readStageRollouts } from "./rollouts.ts";
import { type JudgePlace, judgeSettings, openStageJudge } from "./stage-judge.ts";

export const VERDICTS_NAME = "verdicts.jsonl";

/** One verdict for each rollout of another stage; what cannot be judged is missing with its cause. */
export function judgeStage(
  kind: "judge" | "evaluation-judge",
  name: string,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage {
  const { judge } = inputs;
  if (judge === undefined) throw new Error("internal: no judge");
  const rolloutsKind = kind === "judge" ? "rollouts" : "evaluation-rollouts";
  const place = { stage: stageId({ kind, name }), currency: experiment.cost.currency };
  const labels = judge.kind === "human" ? inputs.labels[place.stage] : undefined;
  return {
    kind,
    name,
    version: 4,
    settings: judgeSettings(inputs),
    inputs: {
      rollouts: { stage: `${rolloutsKind}-${name}` },
      ...(labels && { labels: { content: labels.sha256 } }),
    },
    run: async (work) => {
      const skipped = await readSkipped(work.input("rollouts"));
      if (skipped !== undefined) return writeSkipped(work.directory, skipped);
      const path = join(work.directory, VERDICTS_NAME);
      if (judge.kind !== "human") return judgeNew(inputs, work, { ...place, path });
      return judgeByPeople(judge, labels, work, { path, stage: place.stage });
    },
    ...(judge.kind === "llm" && {
      estimate: async (at) => {
        const folder = at.input("rollouts");
        const rollouts =
          folder === undefined
            ? plannedRollouts({ kind: rolloutsKind, experiment, inputs })
            : readStageRollouts(folder);
        const estimated = await estimateLlmJudging(judge, at, rollouts);
        return { ...estimated, isSampled: folder !== undefined };
      },
    }),
  };
}

async function judgeNew(
  inputs: ExperimentInputs,
  work: StageWork,
  { path, ...place }: JudgePlace & { readonly path: string },
): Promise<void> {
  const { input, signal, progress } = work;
  await using judge = await openStageJudge(inputs, work, place);
  const verdicts = judge.judge(readStageRollouts(input("rollouts")), {
    progress: progress("rollouts"),
    signal,
  });
  await writeVerdicts(path, withAbsent(verdicts, input("rollouts")));
}
