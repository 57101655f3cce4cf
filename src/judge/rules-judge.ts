import { hashValue } from "../util/hash.ts";
import { answerText, emptyCause } from "./answer-text.ts";
import { type Judge, judgeInTurn } from "./judge.ts";
import { compilePattern, type RuleSet } from "./rule-set.ts";

/** What the rules say of one response. */
type RuleVerdict =
  | { readonly label: "shows" | "not"; readonly reason: string }
  | { readonly missing: string };

/**
 * A judge by regular expressions: the first rule whose pattern occurs decides. Text up to `</think>` is not judged; an empty response
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
