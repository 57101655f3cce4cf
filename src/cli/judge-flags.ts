import type { Judge, RolloutWithPrompt } from "../judge/judge.ts";
/** @file The judge of commands that sample and judge in one go. */
import { BUILT_IN_RUBRICS } from "../judge/rubric.ts";
import { BUILT_IN_RULES, readRuleSet } from "../judge/rule-set.ts";
import { createRulesJudge } from "../judge/rules-judge.ts";
import { describeUsage } from "../verbs/show/llm-usage.ts";
import type { FlagSpec, ParsedArguments } from "./command.ts";
import { expectFlagsOfWay, expectOneFlag } from "./flag-ways.ts";
import { LLM_JUDGE_FLAGS, openLlmJudge } from "./judge-llm.ts";

const { temperature, cache, "dry-run": _, ...OTHER_FLAGS } = LLM_JUDGE_FLAGS;
const LLM_FLAGS = {
  ...OTHER_FLAGS,
  cache: {
    ...cache,
    describe: "Where paid answers are kept and looked up. Default: judge.cache.jsonl in --out.",
  },
} as const;

/** Flags that choose a judge beside those of sampling. */
export const JUDGE_FLAGS = {
  rules: {
    type: "string",
    value: "FILE|NAME",
    describe: `Judge by a rules file, or ${Object.keys(BUILT_IN_RULES).join(" or ")}. Default: by --llm.`,
  },
  llm: {
    type: "string",
    value: "FILE|NAME",
    describe: `Judge by a rubric file, or ${BUILT_IN_RUBRICS.join(", ")}. Default: by --rules.`,
  },
  ...LLM_FLAGS,
  "judge-temperature": temperature,
} as const satisfies Record<string, FlagSpec>;

/** A judge, to be closed after judging. */
export interface OpenJudge extends AsyncDisposable {
  readonly judge: Judge<RolloutWithPrompt>;
  /** What judging took, in words. */
  usage(): readonly string[];
}

/** Throws ConfigError unless the flags name one judge and belong to it; opens nothing. */
export function expectOneJudge(args: ParsedArguments, command: string): void {
  const chosen = expectOneFlag(args, command, ["rules", "llm"]);
  const flags = [...Object.keys(LLM_FLAGS), "judge-temperature"];
  expectFlagsOfWay(args, [
    { name: "--llm", isOn: chosen === "llm", flags },
    { name: "--rules", isOn: chosen === "rules", flags: [] },
  ]);
}

/** Opens the judge that the flags name; answers that are paid for go to `OUT.cache.jsonl` unless --cache says otherwise. */
export async function openJudge(args: ParsedArguments, out: string): Promise<OpenJudge> {
  const rubric = args.text("llm");
  if (rubric === undefined) {
    const rules = args.text("rules")!; // expectOneJudge
    return {
      judge: createRulesJudge(await readRuleSet(rules)),
      usage: () => [],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const opened = await openLlmJudge(args, rubric, { out, temperatureFlag: "judge-temperature" });
  return {
    judge: opened.judge,
    usage: () => describeUsage(opened.summary()),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
