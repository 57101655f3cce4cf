/** @file The judge of an experiment as stages use it. */
import { answererName } from "../../endpoint/answer-key.ts";
import type { Judge, RolloutWithPrompt } from "../../judge/judge.ts";
import { createRulesJudge } from "../../judge/rules-judge.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { StageWork } from "../stage.ts";
import { openLlmJudge } from "./judge-llm.ts";

/** A judge, to be closed after judging. */
export type StageJudge = Judge<RolloutWithPrompt> & AsyncDisposable;

/** What stands in errors of a judge. */
export interface JudgePlace {
  /** The stage's id. */
  readonly stage: string;
  readonly currency: string;
}

/** Opens the judge by rules or by an LLM. People judge only what is there already. */
export async function openStageJudge(
  { judge }: Pick<ExperimentInputs, "judge">,
  work: StageWork,
  place: JudgePlace,
): Promise<StageJudge> {
  if (judge?.kind === "llm") return openLlmJudge(judge, work, place);
  if (judge?.kind !== "rules") throw new Error("internal: no judge of new responses");
  return { ...createRulesJudge(judge.rules), [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** What verdicts depend on. Of an LLM's endpoint that is its address and model: how it is paced and paid changes no answer. */
export function judgeSettings({ judge }: Pick<ExperimentInputs, "judge">): unknown {
  if (judge === undefined) throw new Error("internal: no judge");
  if (judge.kind === "rules") return { kind: "rules", rules: judge.rules };
  if (judge.kind === "human") return judge;
  const { rubric, settings } = judge;
  const { endpoint, temperature } = settings;
  return { kind: "llm", rubric, endpoint: answererName(endpoint), temperature };
}
