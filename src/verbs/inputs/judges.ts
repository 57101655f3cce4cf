/** @file What judges: rules, a rubric or people's labels, by file or, of the first two, by the name of built-in ones. */
import { BUILT_IN_RUBRICS, readRubric } from "../../judge/rubric.ts";
import { BUILT_IN_RULES, readRuleSet } from "../../judge/rules-judge.ts";
import type { Input } from "../verb.ts";

const RULES = Object.keys(BUILT_IN_RULES);

/** Whether this is the name of built-in rules or a built-in rubric, and so no file. */
export const isBuiltIn = (name: string): boolean =>
  RULES.includes(name) || (BUILT_IN_RUBRICS as readonly string[]).includes(name);

/** By file or built-in name. */
const oneOf = <K extends string, T>(kind: K, how: string, read: (name: string) => Promise<T>) =>
  ({
    kind,
    placeholder: "FILE|NAME",
    describe: `Judge by ${how}.`,
    isOptional: true,
    isFile: (name: string) => !isBuiltIn(name),
    open: ([name = ""]: readonly string[]) => read(name),
  }) as const satisfies Input<T>;

export const rulesInput = oneOf(
  "rules",
  `a rules file, or the built-in rules ${RULES.join(" or ")}`,
  readRuleSet,
);
export const rubricInput = oneOf(
  "rubric",
  `asking an LLM by a rubric file, or the built-in ${BUILT_IN_RUBRICS.join(", ")}`,
  readRubric,
);
