import { createHumanJudge, readHumanLabels } from "../../judge/human-labels.ts";
import { BUILT_IN_RUBRICS } from "../../judge/rubric.ts";
import { BUILT_IN_RULES, readRuleSet } from "../../judge/rule-set.ts";
import { createRulesJudge } from "../../judge/rules-judge.ts";
import { RuntimeError } from "../../util/errors.ts";
import { printable } from "../../util/text-table.ts";
import { uncheckedLabels } from "../../verbs/show/agreement.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { expectFlagsOfWay, expectOneFlag, type FlagWay } from "../flag-ways.ts";
import { describeUsage } from "../judge-llm-usage.ts";
import { LLM_JUDGE_FLAGS, openLlmJudge, printEstimate } from "../judge-llm.ts";
import { review, REVIEW_FLAGS } from "../judge-review.ts";
import { judgeToFile, type JudgeSummary, printSummary } from "../judge-summary.ts";
import { checkOutputFiles, expectOtherFiles } from "../output-files.ts";
import { onlyPositional, requiredText } from "../required.ts";
import { openTerminal } from "../review-terminal.ts";

export const judgeCommand: Command = {
  name: "judge",
  summary: "Says of every rollout whether it shows the behaviour",
  positionals: "ROLLOUTS",
  description: `
ROLLOUTS is a file that culprit generate wrote. Each rollout gets a verdict, "shows" or "not", or is missing with its cause: an
empty response, or one that the rules do not decide. Missing verdicts are in no rate; every table counts them.

--rules names a rule set: ${Object.keys(BUILT_IN_RULES).join(" and ")} are built in (English; refusal: the response declines the request; compliance: it
does not). Or a YAML file; the first rule whose pattern (a JavaScript regular expression) occurs decides:

  name: verse
  behavior: answers in verse
  rules:
    - {pattern: '^i cannot', label: not, reason: declines}
    - {pattern: 'roses are red', label: shows, within: 200}
  otherwise: missing

How far the built-in rules agree with people is in docs/benchmarks.md.

--llm names a rubric, or a YAML file, and asks the model behind --base-url. Every paid answer is kept in a cache before it counts:
the same command, after a kill too, asks only what is not there. A request that fails is repeated, --attempts at most; what then
has no readable answer is missing with its cause; --force asks about it again. See docs/how-to-judge-with-llms.md.

--labels takes what people said, --review asks you: one key a rollout, written at once, resumed by the same command. culprit
agreement compares any judge with them.

  culprit judge rollouts.jsonl --rules compliance --out verdicts.jsonl
  culprit judge rollouts.jsonl --review --behavior "is rude" --stratify verdicts.jsonl --out labels.jsonl
  culprit judge rollouts.jsonl --llm harm --base-url http://localhost:8000/v1 --model qwen --out verdicts.jsonl --dry-run`,
  flags: {
    rules: {
      type: "string",
      value: "FILE|NAME",
      describe: `Judge by a rules file, or ${Object.keys(BUILT_IN_RULES).join(" or ")}. Default: by another way.`,
    },
    out: { type: "string", value: "FILE", describe: "The verdicts to write, JSON lines." },
    force: {
      type: "boolean",
      describe:
        "Replace an existing --out. With --llm, ask again about what has no readable answer in the cache, and about nothing else.",
    },
    llm: {
      type: "string",
      value: "FILE|NAME",
      describe: `Judge by a rubric file, or ${BUILT_IN_RUBRICS.join(", ")}. Default: by another way.`,
    },
    ...LLM_JUDGE_FLAGS,
    labels: {
      type: "string",
      value: "FILE",
      describe:
        'What people said, rows {"rollout", "label": shows or not}; CSV or JSON lines. Default: another way.',
    },
    ...REVIEW_FLAGS,
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const path = onlyPositional(args, "judge", "one file of rollouts");
  const [llm, labels] = [args.text("llm"), args.text("labels")];
  expectOneWay(args);
  if (llm !== undefined && args.has("dry-run")) {
    await printEstimate(args, { rubric: llm, rollouts: path, out: args.text("out") }, context);
    return;
  }
  const out = requiredText(args, "judge", "out");
  const read = inputFiles(args, path);
  if (args.has("review")) {
    expectOtherFiles([out], read);
    await runReview(args, { path, out }, context);
    return;
  }
  checkOutputFiles([out], { isForced: args.has("force"), inputs: read });
  if (llm !== undefined) {
    await using opened = await openLlmJudge(args, llm, { out });
    const counts = await judgeToFile(opened.judge, { path, out }, context).catch((error) => {
      // What was asked is paid for, and says what went wrong.
      for (const line of describeUsage(opened.summary())) context.log(line);
      throw error;
    });
    const took = opened.summary();
    printSummary({ ...counts, llm: took }, describeUsage(took), { args, context });
    requireVerdicts(counts, out);
    return;
  }
  if (labels !== undefined) {
    const behavior = requiredText(args, "judge", "behavior");
    const judge = createHumanJudge(await readHumanLabels(labels), behavior);
    const counts = await judgeToFile(judge, { path, out }, context);
    if (judge.unused() > 0) {
      context.warn(`${labels}: ${judge.unused()} labels of rollouts that are not in ${path}`);
    }
    if (judge.unchecked() > 0) context.warn(uncheckedLabels(labels, judge.unchecked()));
    printSummary(counts, [], { args, context });
    requireVerdicts(counts, out);
    return;
  }
  const judge = createRulesJudge(await readRuleSet(requiredText(args, "judge", "rules")));
  const counts = await judgeToFile(judge, { path, out }, context);
  printSummary(counts, [], { args, context });
  requireVerdicts(counts, out);
}

/** Throws ConfigError unless the flags are those of one way of judging. */
function expectOneWay(args: ParsedArguments): void {
  const chosen = expectOneFlag(args, "judge", ["rules", "llm", "labels", "review"]);
  const way = (name: typeof chosen, flags: readonly string[]): FlagWay => ({
    name: `--${name}`,
    isOn: name === chosen,
    flags,
  });
  expectFlagsOfWay(args, [
    way("rules", ["force"]),
    way("llm", [...Object.keys(LLM_JUDGE_FLAGS), "force"]),
    way("labels", ["behavior", "force"]),
    // An earlier session is gone on with: --force has nothing to replace.
    way("review", Object.keys(REVIEW_FLAGS)),
  ]);
}

/** The files that are read; the names of built-in rules and rubrics are none. */
function inputFiles(args: ParsedArguments, path: string): readonly string[] {
  const builtIn = new Set<string>([...BUILT_IN_RUBRICS, ...Object.keys(BUILT_IN_RULES)]);
  const named = ["llm", "rules"].map((flag) => args.text(flag));
  const others = ["labels", "stratify", "cache"].map((flag) => args.text(flag));
  return [
    path,
    ...named.filter((each) => each === undefined || !builtIn.has(each)),
    ...others,
  ].filter((each) => each !== undefined);
}

/** Throws RuntimeError where there is nothing to go on with; the file has the causes. */
function requireVerdicts({ judge, rollouts, causes, variants }: JudgeSummary, out: string): void {
  if (variants.some(({ shows, not }) => shows + not > 0)) return;
  const list = Object.entries(causes).map(([cause, count]) => `${count} ${printable(cause)}`);
  throw new RuntimeError(
    `judge ${printable(judge)}: expected verdicts, got none of ${rollouts} rollouts${list.length === 0 ? "" : ` (${list.join("; ")})`}`,
    { hint: `${out} has the cause of each; see what fails before judging on.` },
  );
}

async function runReview(
  args: ParsedArguments,
  files: { readonly path: string; readonly out: string },
  context: CommandContext,
): Promise<void> {
  using terminal = openTerminal();
  const { labelled, of } = await review(args, files, terminal, context);
  const result = { out: files.out, labelled, of };
  context.print(
    args.has("json")
      ? JSON.stringify(result, undefined, 2)
      : `${labelled} of ${of} rollouts labelled in ${files.out}${labelled < of ? "; the same command goes on" : ""}`,
  );
}
