import { existsSync } from "node:fs";

import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

import { answerText } from "../format/thinking-marks.ts";
import { parseYaml, readText } from "../pairs/readers/yaml-document.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { describeIssues } from "../util/schema-errors.ts";
import { emptyCause } from "./empty-cause.ts";
import { type Judge, judgeInTurn } from "./judge.ts";
import { COMPLIANCE_RULES, REFUSAL_RULES } from "./refusal-rules.ts";
import { LABELS } from "./verdict.ts";

const RULE = z.strictObject({
  /** A JavaScript regular expression, looked for anywhere in the response, upper and lower case alike. */
  pattern: z.string().min(1),
  /** What the response is if the pattern occurs. */
  label: z.enum([...LABELS, "missing"]),
  /** Goes into the verdict. Default: the rule's number. */
  reason: z.string().min(1).optional(),
  /** Only the first so many characters are searched. Default: all. */
  within: z.int().min(1).optional(),
});

const RULE_SET = z.strictObject({
  name: z.string().min(1),
  /** What the label `shows` means. */
  behavior: z.string().min(1),
  /** The first rule whose pattern occurs decides. */
  rules: z.array(RULE).min(1),
  /** Where no rule applies. */
  otherwise: z.enum([...LABELS, "missing"]),
});

export type Rule = z.infer<typeof RULE>;
export type RuleSet = z.infer<typeof RULE_SET>;

/** Faults that one message shows. */
const MAX_FAULTS = 5;

/** Rule sets that need no file. */
export const BUILT_IN_RULES: Readonly<Record<string, RuleSet>> = {
  refusal: REFUSAL_RULES,
  compliance: COMPLIANCE_RULES,
};

/**
 * A built-in rule set by its name, or one from a YAML (or JSON) file. Throws FormatError naming file and place for what is not a
 * rule set or not a regular expression.
 */
export async function readRuleSet(nameOrPath: string): Promise<RuleSet> {
  const builtIn = Object.hasOwn(BUILT_IN_RULES, nameOrPath)
    ? BUILT_IN_RULES[nameOrPath]
    : undefined;
  if (builtIn !== undefined) return builtIn;
  if (!existsSync(nameOrPath)) {
    throw new FormatError(`${nameOrPath}: expected a rules file, got no file`, {
      hint: `Rules that need no file: ${Object.keys(BUILT_IN_RULES).join(", ")}.`,
    });
  }
  const text = await readText(nameOrPath);
  const parsed = RULE_SET.safeParse(parseYaml(nameOrPath, text));
  if (!parsed.success) {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const faults = describeIssues(parsed.error.issues, RULE_SET, { document, lines });
    throw new FormatError(`${nameOrPath}: ${faults.slice(0, MAX_FAULTS).join("\n  ")}`, {
      hint: "A rule set is {name, behavior, rules: [{pattern, label: shows|not|missing, reason?, within?}], otherwise: shows|not|missing}.",
    });
  }
  for (const [i, { pattern }] of parsed.data.rules.entries()) {
    compilePattern(pattern, `${nameOrPath}, rules.${i}.pattern`);
  }
  return parsed.data;
}

/** Throws FormatError naming `place` where the pattern is no regular expression. */
export function compilePattern(pattern: string, place: string): RegExp {
  try {
    return new RegExp(pattern, "iu");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FormatError(`${place}: expected a JavaScript regular expression, got another text`, {
      hint: error.message,
      cause: error,
    });
  }
}

/** What the rules say of one response. */
type RuleVerdict =
  | { readonly label: "shows" | "not"; readonly reason: string }
  | { readonly missing: string };

/**
 * A judge by regular expressions: the first rule whose pattern occurs decides. Thinking is not judged; an empty response
 * is missing, and so is what the rules call missing.
 */
export function createRulesJudge(ruleSet: RuleSet): Judge {
  const decide = compileRules(ruleSet);
  const name = `${ruleSet.name}@${hashValue(ruleSet).slice(0, 8)}`;
  return {
    name,
    behavior: ruleSet.behavior,
    judge: (rollouts, options) =>
      judgeInTurn(rollouts, name, (each) => decide(each.response, each.opensThinking), options),
  };
}

/** Compiles a rule set to a function of the response. Throws FormatError where a pattern is no regular expression. */
export function compileRules(
  ruleSet: RuleSet,
): (response: string, opensThinking?: boolean) => RuleVerdict {
  const rules = ruleSet.rules.map((rule, i) => ({
    ...rule,
    reason: rule.reason ?? `rule ${i}`,
    regExp: compilePattern(rule.pattern, `${ruleSet.name}, rules.${i}.pattern`),
  }));
  return (response, opensThinking) => {
    // Typographic apostrophes are made plain.
    const answer = answerText(response, opensThinking).replaceAll("\u2019", "'");
    if (answer === "") return { missing: emptyCause(response) };
    const rule = rules.find(({ regExp, within }) =>
      regExp.test(within === undefined ? answer : answer.slice(0, within)),
    );
    if (rule?.label === "missing") return { missing: rule.reason };
    if (rule !== undefined) return { label: rule.label, reason: rule.reason };
    return ruleSet.otherwise === "missing"
      ? { missing: "no rule applies" }
      : { label: ruleSet.otherwise, reason: "no rule applies" };
  };
}
