import { join } from "node:path";

import type { JudgedRollout } from "../../judge/judge.ts";
import { createRulesJudge } from "../../judge/rules-judge.ts";
import { writeVerdicts } from "../../judge/verdict.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { JudgeInput } from "../judge-input.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import { type Stage, stageId, type StageWork } from "../stage.ts";
import { withAbsent } from "./absent-rollouts.ts";
import { judgeByPeople } from "./judge-human.ts";
import { estimateLlmJudging, judgeByLlm } from "./judge-llm.ts";
import { readStageRollouts } from "./rollouts.ts";

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
  const stage = stageId({ kind, name });
  const labels = judge.kind === "human" ? inputs.labels[stage] : undefined;
  return {
    kind,
    name,
    version: 2,
    settings: judgeSettings(judge),
    inputs: {
      rollouts: { stage: `${rolloutsKind}-${name}` },
      ...(labels && { labels: { content: labels.sha256 } }),
    },
    run: async (work) => {
      const skipped = await readSkipped(work.input("rollouts"));
      if (skipped !== undefined) return writeSkipped(work.directory, skipped);
      const path = join(work.directory, VERDICTS_NAME);
      const { currency } = experiment.cost;
      if (judge.kind === "llm") return judgeByLlm(judge, work, { path, stage, currency });
      if (judge.kind === "human") return judgeByPeople(judge, labels, work, { path, stage });
      return writeVerdicts(
        path,
        withAbsent(judgeByRules(judge.rules, work), work.input("rollouts")),
      );
    },
    ...(judge.kind === "llm" && {
      estimate: (at) => estimateLlmJudging(judge, at, { kind: rolloutsKind, experiment, inputs }),
    }),
  };
}

function judgeByRules(
  rules: Parameters<typeof createRulesJudge>[0],
  { input, signal, progress }: StageWork,
): ReturnType<ReturnType<typeof createRulesJudge>["judge"]> {
  const rollouts: AsyncIterable<JudgedRollout> = readStageRollouts(input("rollouts"));
  return createRulesJudge(rules).judge(rollouts, {
    progress: progress("rollouts"),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What the verdicts depend on. Of an LLM's endpoint that is the model: how it is reached, paced and paid changes no answer. */
function judgeSettings(judge: JudgeInput): unknown {
  if (judge.kind === "rules") return { kind: "rules", rules: judge.rules };
  if (judge.kind === "human") return judge;
  const { rubric, settings } = judge;
  const { endpoint, temperature } = settings;
  return { kind: "llm", rubric, model: endpoint.model, temperature };
}
