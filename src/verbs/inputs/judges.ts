/** @file What judges: rules, a rubric or people's labels, by file or, of the first two, by the name of built-in ones. */
import { BUILT_IN_RUBRICS, readRubric, type Rubric } from "../../judge/rubric.ts";
import { BUILT_IN_RULES, readRuleSet, type RuleSet } from "../../judge/rules-judge.ts";
import type { Input } from "../verb.ts";

const RULES = Object.keys(BUILT_IN_RULES);

/** Whether this is the name of built-in rules or a built-in rubric, and so no file. */
export const isBuiltIn = (name: string): boolean =>
  RULES.includes(name) || (BUILT_IN_RUBRICS as readonly string[]).includes(name);

export const rulesInput = {
  kind: "rules",
  placeholder: "FILE|NAME",
  describe: `Judge by a rules file, or the built-in rules ${RULES.join(" or ")}.`,
  isOptional: true,
  isFile: (name: string) => !isBuiltIn(name),
  open: ([name = ""]) => readRuleSet(name),
} as const satisfies Input<RuleSet>;

export const rubricInput = {
  kind: "rubric",
  placeholder: "FILE|NAME",
  describe: `Judge by asking an LLM by a rubric file, or the built-in ${BUILT_IN_RUBRICS.join(", ")}.`,
  isOptional: true,
  isFile: (name: string) => !isBuiltIn(name),
  open: ([name = ""]) => readRubric(name),
} as const satisfies Input<Rubric>;
