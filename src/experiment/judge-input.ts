/** @file The judge of an experiment, read and checked before any stage runs. */
import { readHumanLabels } from "../judge/human-labels.ts";
import { BUILT_IN_RUBRICS, readRubric, type Rubric } from "../judge/rubric.ts";
import { BUILT_IN_RULES, readRuleSet, type RuleSet } from "../judge/rule-set.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { inSetting } from "../util/in-setting.ts";
import type { FileInput } from "./experiment-inputs.ts";
import { type EndpointInput, openEndpoint } from "./open-asker.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import type { LlmJudgeSettings } from "./schema-judge.ts";
import type { Experiment } from "./schema.ts";

/** What judges. */
export type JudgeInput =
  | { readonly kind: "rules"; readonly rules: RuleSet }
  | LlmJudgeInput
  | { readonly kind: "human"; readonly behavior: string };

/** A model that judges by a rubric. */
export interface LlmJudgeInput {
  readonly kind: "llm";
  /** With the experiment's threshold, where it has one. */
  readonly rubric: Rubric;
  readonly settings: LlmJudgeSettings;
  readonly endpoint: EndpointInput;
}

/** Reads rules or rubric. Throws ConfigError naming the setting. */
export async function openJudge(
  judge: NonNullable<Experiment["judge"]>,
  file: ExperimentFile,
): Promise<JudgeInput> {
  if (judge.kind === "rules") {
    const rules = Object.hasOwn(BUILT_IN_RULES, judge.rules) ? judge.rules : file.at(judge.rules);
    return { kind: "rules", rules: await inSetting("judge.rules", () => readRuleSet(rules)) };
  }
  if (judge.kind === "human") return { kind: "human", behavior: judge.behavior };
  const isBuiltIn = (BUILT_IN_RUBRICS as readonly string[]).includes(judge.rubric);
  const path = isBuiltIn ? judge.rubric : file.at(judge.rubric);
  const rubric = await inSetting("judge.rubric", () => readRubric(path));
  return {
    kind: "llm",
    rubric: withThreshold(rubric, judge.threshold),
    settings: judge,
    endpoint: openEndpoint("judge.endpoint", judge.endpoint),
  };
}

/** Opens the labels of each judge stage, and reads them once so that what is wrong with them shows at once. */
export async function openLabels(
  judge: NonNullable<Experiment["judge"]>,
  file: ExperimentFile,
): Promise<Readonly<Record<string, FileInput>>> {
  const opened: Record<string, FileInput> = {};
  for (const [stage, path] of Object.entries(judge.labels)) {
    opened[stage] = await inSetting(`judge.labels.${stage}`, async () => {
      await readHumanLabels(file.at(path));
      return { path: file.at(path), sha256: await hashFile(file.at(path)) };
    });
  }
  return opened;
}

/** What the manifest says of the judge: hashes of what decides. */
export function hashJudge(judge: JudgeInput | undefined): Readonly<Record<string, string>> {
  if (judge?.kind === "rules") return { rules: hashValue(judge.rules) };
  return judge?.kind === "llm" ? { rubric: hashValue(judge.rubric) } : {};
}

function withThreshold(rubric: Rubric, threshold: number | undefined): Rubric {
  if (threshold === undefined) return rubric;
  const { answer } = rubric;
  if (answer.kind !== "score") {
    throw new ConfigError("judge.threshold: expected none, as the rubric has labels");
  }
  const { low, high } = answer;
  if (threshold <= low || threshold > high) {
    throw new ConfigError(
      `judge.threshold: expected a number above ${low} and at most ${high}, got ${threshold}`,
    );
  }
  return { ...rubric, answer: { ...answer, threshold } };
}
