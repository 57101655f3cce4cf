import {
  BUILT_IN_RULES,
  createRulesJudge,
  isMissing,
  type Judge,
  missingCauses,
  readRollouts,
  readRuleSet,
  type Verdict,
  writeVerdicts,
} from "../../index.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { checkOutputFiles, expectOtherFiles } from "../output-files.ts";
import { onlyPositional, requiredText } from "../required.ts";
import { printable, textTable } from "../text-table.ts";

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

  culprit judge rollouts.jsonl --rules compliance --out verdicts.jsonl`,
  flags: {
    rules: {
      type: "string",
      value: "FILE|NAME",
      describe: `A rules file, or ${Object.keys(BUILT_IN_RULES).join(" or ")}.`,
    },
    out: { type: "string", value: "FILE", describe: "The verdicts to write, JSON lines." },
    force: { type: "boolean", describe: "Replace an existing --out." },
  },
  run,
};

/** Counts of one variant. */
interface VariantCounts {
  readonly variant: string;
  readonly shows: number;
  readonly not: number;
  readonly missing: number;
}

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const path = onlyPositional(args, "judge", "one file of rollouts");
  const out = requiredText(args, "judge", "out");
  const rules = requiredText(args, "judge", "rules");
  expectOtherFiles([out], [path, rules]);
  checkOutputFiles([out], args.has("force"));
  const judge = createRulesJudge(await readRuleSet(rules));
  const verdicts = await judgeAll(judge, path, context);
  await writeVerdicts(out, verdicts);
  const summary = {
    judge: judge.name,
    behavior: judge.behavior,
    rollouts: verdicts.length,
    causes: missingCauses(verdicts),
    variants: countVariants(verdicts),
  };
  context.print(
    args.has("json")
      ? JSON.stringify(summary, undefined, 2)
      : [
          `judge ${printable(judge.name)}: "shows" means that the response ${printable(judge.behavior)}`,
          ...textTable([
            ["variant", "shows", "not", "missing"],
            ...summary.variants.map(({ variant, shows, not, missing }) => [
              printable(variant),
              `${shows}`,
              `${not}`,
              `${missing}`,
            ]),
          ]),
          ...Object.entries(summary.causes).map(
            ([cause, count]) => `${count} missing: ${printable(cause)}`,
          ),
        ].join("\n"),
  );
}

async function judgeAll(judge: Judge, path: string, context: CommandContext): Promise<Verdict[]> {
  const progress = context.progress("judge", "rollouts");
  const options = { signal: context.signal, progress };
  try {
    const verdicts: Verdict[] = [];
    for await (const verdict of judge.judge(readRollouts(path, options), options)) {
      verdicts.push(verdict);
    }
    return verdicts;
  } finally {
    progress.end();
  }
}

function countVariants(verdicts: readonly Verdict[]): readonly VariantCounts[] {
  return [...new Set(verdicts.map(({ variant }) => variant))].map((variant) => {
    const own = verdicts.filter((verdict) => verdict.variant === variant);
    const label = (name: string): number =>
      own.filter((verdict) => !isMissing(verdict) && verdict.label === name).length;
    return {
      variant,
      shows: label("shows"),
      not: label("not"),
      missing: own.filter(isMissing).length,
    };
  });
}
