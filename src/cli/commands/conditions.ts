import { existsSync, realpathSync } from "node:fs";

import { readVerdicts } from "../../judge/verdict.ts";
import {
  type ConditionRow,
  conditionsTable,
  type JudgedCheckpoints,
} from "../../rates/conditions.ts";
import {
  conditionName,
  type FilterResult,
  filterScenarios,
} from "../../rates/four-condition-filter.ts";
import { requireKept } from "../../rates/require-kept.ts";
import {
  type PairedRollouts,
  pairRollouts,
  type RolloutPairsOptions,
  writeResponsePairs,
} from "../../rates/rollout-pairs.ts";
import { noteGroups } from "../../rates/scenario-groups.ts";
import { readRollouts, type Rollout } from "../../rollouts/rollouts.ts";
import { ConfigError } from "../../util/errors.ts";
import { printable, textTable } from "../../util/text-table.ts";
import { formatRate } from "../../verbs/show/evaluation.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { checkOutputFiles } from "../output-files.ts";
import { requiredText } from "../required.ts";

/** Scenarios listed with their reasons, at most; the JSON output has all of them. */
const MAX_LISTED = 20;
/** Characters of a reason, at most: it names conditions whose names come from data. */
const MAX_REASON = 1000;
const INPUT_FLAGS = ["before", "after", "before-verdicts", "after-verdicts"] as const;

export const conditionsCommand: Command = {
  name: "conditions",
  summary: "Rates by condition, and the scenarios in which training brought the behaviour out",
  positionals: "",
  description: `
Takes the verdicts of both checkpoints, before (M0) and after (M1) preference training, on the same scenarios in two variants.
A scenario is kept where no rollout shows the behaviour in before × base, before × base+distractor and after × base, and at
least one does in after × base+distractor. It is dropped where one of the four fails for certain, and unknown where rollouts
or verdicts are missing that could decide it: one that shows is never undone by others that are missing. Where no scenario is
left, the command fails and says which condition emptied it.

With --out and the rollouts of both, it writes the response pairs that culprit behavior reads: every rollout of M1 that shows
the behaviour, with one of M0 to the same prompt that does not.

Scenarios that ask one request are one unit of the intervals and one group of response pairs. Verdicts and rollouts say which do;
files that do not are told by the prompts in the plain variant, where --before or --after is given.

With --null-out it writes response pairs of the rollouts of both of which neither shows the behaviour: what else training changed.
culprit behavior makes an unrelated behaviour of them, to which culprit rank --null-behavior holds its verdict.

  culprit conditions --before-verdicts v0.jsonl --after-verdicts v1.jsonl \\
    --before rollouts0.jsonl --after rollouts1.jsonl --out responses.jsonl`,
  flags: {
    "before-verdicts": {
      type: "string",
      value: "FILE",
      describe: "Verdicts on the rollouts of the checkpoint before.",
    },
    "after-verdicts": {
      type: "string",
      value: "FILE",
      describe: "Verdicts on the rollouts of the checkpoint after.",
    },
    before: {
      type: "string",
      value: "FILE",
      describe: "Rollouts of the checkpoint before. Default: none; --out and --null-out need them.",
    },
    after: {
      type: "string",
      value: "FILE",
      describe: "Rollouts of the checkpoint after. Default: none; --out and --null-out need them.",
    },
    out: { type: "string", value: "FILE", describe: "The response pairs to write, JSON lines." },
    "null-out": {
      type: "string",
      value: "FILE",
      describe:
        "The response pairs of a second null to write, JSON lines: rollouts that do not show the behaviour. Default: none.",
    },
    force: { type: "boolean", describe: "Replace existing files." },
    trigger: {
      type: "string",
      value: "NAME",
      describe: "The variant in which the behaviour must show. Default base+distractor.",
    },
    plain: {
      type: "string",
      value: "NAME",
      describe: "The variant in which it must not. Default base.",
    },
    "min-judged": {
      type: "string",
      value: "N",
      describe:
        "Judged rollouts that each of the four conditions needs for a scenario to be kept. Default: where none may show as many as the scenario with most rollouts has, where one must show that one.",
    },
    "max-pairs": {
      type: "string",
      value: "N",
      describe: "Response pairs of one scenario, at most. Default: one for each showing rollout.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const out = args.text("out");
  const nullOut = args.text("null-out");
  const outputs = [out, nullOut].filter((path) => path !== undefined);
  const inputs = INPUT_FLAGS.map((flag) => args.text(flag)).filter((path) => path !== undefined);
  const [first, ...more] = outputs;
  if (first !== undefined) {
    checkOutputFiles([first, ...more], { isForced: args.has("force"), inputs });
  }
  const files = { before: args.text("before"), after: args.text("after") };
  if (outputs.length > 0) {
    requiredText(args, "conditions", "before");
    requiredText(args, "conditions", "after");
  }
  const verdicts = {
    before: requiredText(args, "conditions", "before-verdicts"),
    after: requiredText(args, "conditions", "after-verdicts"),
  };
  expectTwoFiles(verdicts);
  const judged: JudgedCheckpoints = {
    before: await readVerdicts(verdicts.before),
    after: await readVerdicts(verdicts.after),
  };
  warnOfJudges(judged, context);
  const trigger = args.text("trigger");
  const plain = args.text("plain");
  const minJudged = args.integer("min-judged", { min: 1 });
  const maxPairs = args.integer("max-pairs", { min: 1 });
  const result = filterScenarios(judged, {
    ...(trigger === undefined ? {} : { trigger }),
    ...(plain === undefined ? {} : { plain }),
    ...(minJudged === undefined ? {} : { minJudged }),
  });
  const found = await readPairs(files, judged, {
    kept: result.kept,
    withDrift: nullOut !== undefined,
    ...(trigger === undefined ? {} : { trigger }),
    ...(plain === undefined ? {} : { plain }),
    ...(maxPairs === undefined ? {} : { maxPairs }),
  });
  const conditions = conditionsTable(judged, found.groups);
  // The table says what emptied the filter, so it comes out before the error does.
  context.print(
    args.has("json")
      ? JSON.stringify({ conditions, ...result }, undefined, 2)
      : formatFilter(conditions, result),
  );
  if (nullOut !== undefined) {
    await writeResponsePairs(nullOut, found.drift);
    context.log(
      `${found.drift.length} response pairs of what else training changed written to ${nullOut}`,
    );
  }
  requireKept(result);
  if (out === undefined) return;
  if (found.pairs.length === 0) {
    throw new ConfigError("conditions: expected response pairs, got none", {
      hint: "The responses of both checkpoints are alike: the verdicts are of other rollouts, or --before and --after name one file.",
    });
  }
  await writeResponsePairs(out, found.pairs);
  context.log(`${found.pairs.length} response pairs written to ${out}`);
}

/** A checkpoint beside itself tells nothing of training. */
function expectTwoFiles({ before, after }: Readonly<Record<"before" | "after", string>>): void {
  const [one, other] = [before, after].map((path) =>
    existsSync(path) ? realpathSync(path) : path,
  );
  if (one !== other) return;
  throw new ConfigError(
    `--before-verdicts, --after-verdicts: expected the verdicts on two checkpoints, got one file for both (${before})`,
    { hint: "Judge the rollouts of each checkpoint into a file of its own." },
  );
}

/** What the rollouts that were given say, each file read once: one alone still tells which scenarios ask the same request. */
async function readPairs(
  { before, after }: { readonly before: string | undefined; readonly after: string | undefined },
  judged: JudgedCheckpoints,
  options: RolloutPairsOptions,
): Promise<PairedRollouts> {
  const read = (path: string | undefined): AsyncIterable<Rollout> | readonly Rollout[] =>
    path === undefined ? [] : readRollouts(path);
  if (before !== undefined && after !== undefined) {
    return pairRollouts({ before: read(before), after: read(after) }, judged, options);
  }
  const groups = new Map<string, string>();
  for await (const _ of noteGroups(read(before ?? after), options.plain, groups));
  return { pairs: [], drift: [], groups };
}

/** Rates by different rules or rubrics differ for that alone. Labels of people have a name for each file. */
function warnOfJudges(judged: JudgedCheckpoints, context: CommandContext): void {
  const names = [...judged.before, ...judged.after].map(({ judge = "" }) =>
    judge.startsWith("human@") ? "human" : judge,
  );
  const judges = [...new Set(names)];
  if (judges.length < 2) return;
  context.warn(
    `the verdicts are of ${judges.length} judges (${judges.map((name) => (name === "" ? "one without a name" : printable(name))).join(", ")}): rates may differ for that alone`,
  );
}

function formatFilter(conditions: readonly ConditionRow[], result: FilterResult): string {
  const { scenarios } = result;
  const count = (decision: string): number =>
    scenarios.filter((each) => each.decision === decision).length;
  const others = scenarios.filter(({ decision }) => decision !== "kept");
  return [
    ...textTable([
      ["condition", "scenarios", "rollouts", "missing", "rate [95%]"],
      ...conditions.map(({ checkpoint, variant, scenarios: n, rollouts, missing, rate }) => [
        printable(`${checkpoint} × ${variant}`),
        n === rate.prompts || rate.judged === 0 ? `${n}` : `${n} (${rate.prompts} requests)`,
        `${rollouts}`,
        `${missing}`,
        formatRate(rate),
      ]),
    ]),
    ...causeLines(conditions),
    "",
    `${count("kept")} of ${scenarios.length} scenarios kept, ${count("dropped")} dropped, ${count("unknown")} unknown`,
    ...textTable([
      ["condition", "fails", "unknown"],
      ...result.requirements.map((requirement, i) => [
        printable(
          `${conditionName(requirement)}: ${requirement.mustShow ? "must show" : "must not show"}`,
        ),
        `${scenarios.filter(({ failed }) => failed.includes(i)).length}`,
        `${scenarios.filter(({ unknown }) => unknown.includes(i)).length}`,
      ]),
    ]),
    ...(others.length === 0 ? [] : [""]),
    ...others
      .slice(0, MAX_LISTED)
      .map(
        ({ scenario, decision, reason }) =>
          `${decision} ${printable(scenario)}: ${printable(reason, MAX_REASON)}`,
      ),
    ...(others.length > MAX_LISTED ? [`… and ${others.length - MAX_LISTED} more (--json)`] : []),
  ].join("\n");
}

/** Why verdicts are missing, for each condition that lacks some. */
function causeLines(conditions: readonly ConditionRow[]): string[] {
  return conditions
    .filter(({ missing }) => missing > 0)
    .map(({ checkpoint, variant, causes }) => {
      const list = Object.entries(causes).map(([cause, n]) => `${n} ${printable(cause)}`);
      return `missing in ${printable(`${checkpoint} × ${variant}`)}: ${list.join("; ")}`;
    });
}
