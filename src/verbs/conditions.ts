import { z } from "zod";

import { readVerdicts } from "../judge/verdict.ts";
import { RESPONSES, writeResponsePairs } from "../pairs/response-pairs.ts";
import { conditionRates, CONDITIONS, type ConditionsReport } from "../rates/condition-rates.ts";
import type { ConditionRow, JudgedCheckpoints } from "../rates/conditions.ts";
import { emptiedFault } from "../rates/emptied-fault.ts";
import { conditionName, filterScenarios } from "../rates/four-condition-filter.ts";
import { type PairedRollouts, pairRollouts } from "../rates/rollout-pairs.ts";
import { noteGroups } from "../rates/scenario-groups.ts";
import { readAmplification } from "../rollouts/rollout-manifest.ts";
import { readRollouts, type Rollout } from "../rollouts/rollouts.ts";
import { ConfigError } from "../util/errors.ts";
import { formatRate } from "../util/figures.ts";
import { count, nonEmpty } from "../util/setting-kinds.ts";
import { printable, tableOf } from "../util/text-table.ts";
import { realPath } from "./check-outputs.ts";
import { rolloutsInput, verdictsInput } from "./inputs/files.ts";
import { warnOfSameRollouts } from "./inputs/same-checkpoint.ts";
import { resultOutput } from "./outputs.ts";
import { defineVerb } from "./verb.ts";

/** Scenarios listed with their reasons, at most; the JSON output has all of them. */
const MAX_LISTED = 20;
/** Characters of a reason, at most: it names conditions whose names come from data. */
const MAX_REASON = 1000;

const verdicts = { ...verdictsInput, placeholder: "FILE" } as const;
const rollouts = { ...rolloutsInput, placeholder: "FILE", isOptional: true } as const;

export const conditions = defineVerb({
  name: "conditions",
  summary: "Rates by condition, and the scenarios in which training brought the behaviour out",
  about: `
Takes the verdicts of both checkpoints, before (M0) and after (M1) preference training, on the same scenarios in two variants.
A scenario is kept where no rollout shows the behaviour in before × base, before × base+distractor and after × base, and at
least one does in after × base+distractor. It is dropped where one of the four fails for certain, and unknown where rollouts
or verdicts are missing that could decide it: one that shows is never undone by others that are missing. Where no scenario is
left, the command fails and says which condition emptied it.

With --out and the rollouts of both, it writes the response pairs that culprit behavior reads: every rollout of M1 that shows
the behaviour, with one of M0 to the same prompt that does not.

Scenarios that ask one request are one unit of the intervals and one group of response pairs. Verdicts and rollouts say which do;
files that do not are told by the prompts in the plain variant, where --before or --after is given.

With --contrast the other side is M1's own: each rollout that shows is paired with each of the same prompt that does not.

With --null-out it writes response pairs of the rollouts of both of which neither shows the behaviour: what else training changed.
culprit behavior makes an unrelated behaviour of them, to which culprit rank --null-behavior holds its verdict.

  culprit conditions --before-verdicts v0.jsonl --after-verdicts v1.jsonl \\
    --before rollouts0.jsonl --after rollouts1.jsonl --out responses.jsonl`,
  version: 8,
  inputs: {
    beforeVerdicts: { ...verdicts, describe: "Verdicts on the rollouts of the checkpoint before." },
    afterVerdicts: { ...verdicts, describe: "Verdicts on the rollouts of the checkpoint after." },
    before: {
      ...rollouts,
      describe: "Rollouts of the checkpoint before; response pairs are made of them.",
    },
    after: {
      ...rollouts,
      describe: "Rollouts of the checkpoint after; response pairs are made of them.",
    },
  },
  settings: z.strictObject({
    plain: nonEmpty
      .default("base")
      .describe("The variant in which neither checkpoint may show the behaviour."),
    trigger: nonEmpty
      .default("base+distractor")
      .describe("The variant in which the checkpoint after must show it, the one before not."),
    minJudged: count
      .optional()
      .describe(
        "Judged rollouts that each of the four conditions needs for a scenario to be kept. Absent: where none may show it, as many as the scenario with most rollouts has; where one must, one.",
      ),
    maxPairs: count
      .optional()
      .describe("Response pairs of one scenario, at most. Absent: one for each showing rollout."),
    contrast: z
      .boolean()
      .default(false)
      .describe(
        "Pairs each rollout of the checkpoint after that shows the behaviour with each of its own to the same prompt that does not, instead of with those of the checkpoint before: what tells the two apart in one model, the contrastive query of gradient methods.",
      ),
  }),
  outputs: {
    out: {
      artifact: RESPONSES,
      placeholder: "FILE",
      describe: "The response pairs to write, JSON lines.",
      isOptional: true,
    },
    nullOut: {
      artifact: { ...RESPONSES, name: "drift.jsonl" },
      placeholder: "FILE",
      describe:
        "The response pairs of a second null to write, JSON lines: rollouts that do not show the behaviour.",
      isOptional: true,
    },
    report: resultOutput(CONDITIONS, "The rates and decisions to write, as JSON."),
  },
  run: async (
    { beforeVerdicts, afterVerdicts, before, after },
    { plain, trigger, minJudged, maxPairs, contrast },
    { out, warn, note },
  ): Promise<ConditionsReport> => {
    const isWritten = out.out !== undefined || out.nullOut !== undefined;
    expectRollouts({ before, after }, isWritten);
    expectTwoFiles(beforeVerdicts, afterVerdicts);
    if (before !== undefined && after !== undefined) {
      await warnOfSameRollouts(before, after, { name: "after", warn });
    }
    const judged: JudgedCheckpoints = {
      before: await readVerdicts(beforeVerdicts),
      after: await readVerdicts(afterVerdicts),
    };
    warnOfJudges(judged, warn);
    const result = filterScenarios(judged, { trigger, plain, minJudged });
    const found = await readPairs({ before, after }, judged, {
      kept: result.kept,
      trigger,
      plain,
      maxPairs,
      contrast,
      withDrift: out.nullOut !== undefined,
    });
    if (out.nullOut !== undefined) {
      await writeResponsePairs(out.nullOut, found.drift);
      note(
        `${found.drift.length} response pairs of what else training changed written to ${out.nullOut}`,
      );
    }
    if (out.out !== undefined && result.kept.length > 0) {
      if (found.pairs.length === 0) {
        throw new ConfigError("conditions: expected response pairs, got none", {
          hint: contrast
            ? "In no kept scenario do rollouts of the checkpoint after both show the behaviour and not: sample more, or leave contrast out."
            : "The responses of both checkpoints are alike: the verdicts are of other rollouts, or before and after are one.",
        });
      }
      await writeResponsePairs(out.out, found.pairs);
      note(`${found.pairs.length} response pairs written to ${out.out}`);
    }
    return {
      amplify: after === undefined ? undefined : await readAmplification(after),
      ...conditionRates(judged, found.groups),
      ...result,
    };
  },
  fault: emptiedFault,
  show: formatFilter,
});

function expectRollouts(
  files: { readonly before: string | undefined; readonly after: string | undefined },
  isNeeded: boolean,
): void {
  if (!isNeeded) return;
  for (const name of ["before", "after"] as const) {
    if (files[name] !== undefined) continue;
    throw new ConfigError(`${name}: expected rollouts to make response pairs of, got none`);
  }
}

/** A checkpoint beside itself tells nothing of training. */
function expectTwoFiles(before: string, after: string): void {
  if (realPath(before) !== realPath(after)) return;
  throw new ConfigError(
    `afterVerdicts: expected the verdicts on two checkpoints, got one file for both (${before})`,
    { hint: "Judge the rollouts of each checkpoint into a file of its own." },
  );
}

/** What the rollouts that were given say, each file read once: one alone still tells which scenarios ask the same request. */
async function readPairs(
  { before, after }: { readonly before: string | undefined; readonly after: string | undefined },
  judged: JudgedCheckpoints,
  options: Parameters<typeof pairRollouts>[2],
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
function warnOfJudges(judged: JudgedCheckpoints, warn: (line: string) => void): void {
  const names = [...judged.before, ...judged.after].map(({ judge = "" }) =>
    judge.startsWith("human@") ? "human" : judge,
  );
  const judges = [...new Set(names)];
  if (judges.length < 2) return;
  warn(
    `the verdicts are of ${judges.length} judges (${judges.map((name) => (name === "" ? "one without a name" : printable(name))).join(", ")}): rates may differ for that alone`,
  );
}

function formatFilter({ conditions: rows, ...result }: ConditionsReport): string {
  const { scenarios } = result;
  const decided = (decision: string): number =>
    scenarios.filter((each) => each.decision === decision).length;
  const others = scenarios.filter(({ decision }) => decision !== "kept");
  return [
    ...tableOf(rows, [
      ["condition", nameOf],
      ["scenarios", describeScenarios],
      ["rollouts", (row) => row.rollouts],
      ["missing", ({ missing }) => missing],
      ["rate [95%]", ({ rate }) => formatRate(rate)],
    ]),
    ...causeLines(rows),
    "",
    `${decided("kept")} of ${scenarios.length} scenarios kept, ${decided("dropped")} dropped, ${decided("unknown")} unknown`,
    ...tableOf(result.requirements, [
      [
        "condition",
        (each) =>
          printable(`${conditionName(each)}: ${each.mustShow ? "must show" : "must not show"}`),
      ],
      ["fails", (_, i) => scenarios.filter(({ failed }) => failed.includes(i)).length],
      ["unknown", (_, i) => scenarios.filter(({ unknown }) => unknown.includes(i)).length],
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

const nameOf = ({ checkpoint, variant }: ConditionRow): string =>
  printable(`${checkpoint} × ${variant}`);

const describeScenarios = ({ scenarios: n, rate: { prompts, judged } }: ConditionRow): string =>
  n === prompts || judged === 0 ? `${n}` : `${n} (${prompts} requests)`;

/** Why verdicts are missing, for each condition that lacks some. */
function causeLines(rows: readonly ConditionRow[]): string[] {
  return rows
    .filter(({ missing }) => missing > 0)
    .map((row) => {
      const list = Object.entries(row.causes).map(([cause, n]) => `${n} ${printable(cause)}`);
      return `missing in ${nameOf(row)}: ${list.join("; ")}`;
    });
}
