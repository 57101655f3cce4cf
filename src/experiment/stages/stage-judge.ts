/** @file The judge of an experiment as verbs read it. */
import type { Rubric } from "../../judge/rubric.ts";
import type { RuleSet } from "../../judge/rule-set.ts";
import { hashValue } from "../../util/hash.ts";
import { judge } from "../../verbs/judge.ts";
import { type JudgingSettings, judgingSettings } from "../../verbs/settings/judging.ts";
import type { JudgeInput } from "../judge-input.ts";
import type { BoundContent } from "../verb-stage.ts";

/** In the experiment's cache folder; all stages share it, so that equal responses are asked about once. */
export const ANSWERS_NAME = judge.outputs.answers.artifact.name;

/** How it judges. */
export function judgingOf(how: JudgeInput): JudgingSettings {
  if (how.kind !== "llm") return judgingSettings.parse({});
  const { endpoint, temperature, structured, maxCost } = how.settings;
  return { endpoint, temperature, structured, maxCost };
}

/** What it judges by, new responses too. */
export function judgeInputs(how: JudgeInput): {
  readonly rules: BoundContent<RuleSet> | undefined;
  readonly rubric: BoundContent<Rubric> | undefined;
} {
  return {
    rules: how.kind === "rules" ? boundValue(how.rules) : undefined,
    rubric: how.kind === "llm" ? boundValue(how.rubric) : undefined,
  };
}

const boundValue = <T>(value: T): BoundContent<T> => ({
  content: hashValue(value),
  open: () => value,
});
