import { join } from "node:path";

import { ConfigError } from "../../util/errors.ts";
import { judge } from "../../verbs/judge.ts";
import { estimateByRubric } from "../../verbs/judging/open-judge.ts";
import type { OpenWork } from "../../verbs/verb.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Experiment } from "../schema.ts";
import { type Stage, stageId } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";
import { plannedRollouts } from "./planned-rollouts.ts";
import { readStageRollouts } from "./rollouts.ts";
import { ANSWERS_NAME, judgeInputs, judgingOf } from "./stage-judge.ts";

export const VERDICTS_NAME = judge.outputs.out.artifact.name;

/** One verdict for each rollout of another stage; what cannot be judged is missing with its cause. */
export function judgeStage(
  kind: "judge" | "evaluation-judge",
  name: string,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage {
  const how = inputs.judge;
  if (how === undefined) throw new Error("internal: no judge");
  const rolloutsKind = kind === "judge" ? "rollouts" : "evaluation-rollouts";
  const id = stageId({ kind, name });
  const labels = how.kind === "human" ? inputs.labels[id] : undefined;
  return verbStage(judge, {
    kind,
    name,
    settings: { ...judgingOf(how), meaning: how.kind === "human" ? how.behavior : undefined },
    inputs: {
      rollouts: { stage: `${rolloutsKind}-${name}` },
      ...judgeInputs(how),
      labels:
        how.kind === "human"
          ? {
              content: labels?.sha256 ?? "none",
              setting: `judge.labels.${id}`,
              open: (_work: OpenWork, folder: (input: string) => string) => {
                if (labels !== undefined) return labels.path;
                throw new ConfigError(
                  `judge.labels: expected a file of labels for ${id}, got none`,
                  {
                    hint: `culprit review ${join(folder("rollouts"), "rollouts.jsonl")} --meaning ${JSON.stringify(how.behavior)} --sample 100000 --out ${id}.jsonl writes them; then judge.labels: { ${id}: ${id}.jsonl }.`,
                  },
                );
              },
            }
          : undefined,
    },
    ...(how.kind === "llm" && {
      estimate: async (at) => {
        const folder = at.input("rollouts");
        const rollouts =
          folder === undefined
            ? plannedRollouts({ kind: rolloutsKind, experiment, inputs })
            : readStageRollouts(folder);
        const { cost, ...estimated } = await estimateByRubric(
          rollouts,
          how.rubric,
          judgingOf(how),
          {
            answers: join(at.cache, ANSWERS_NAME),
            isForced: at.isForced,
          },
        );
        return { ...estimated, money: cost, isSampled: folder !== undefined };
      },
    }),
  });
}
