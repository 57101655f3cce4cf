import { join, relative } from "node:path";

import type { ConfoundTable } from "../ranking/confound-table.ts";
import type { ExperimentResult } from "../runs/result.ts";
import type { RunRanking } from "./read-rankings.ts";
import type { RunFolder } from "./run-folder.ts";
import { pairArguments, shellWords, shownPath } from "./shown-command.ts";
import { mostTelling } from "./tested-edit.ts";
import { tellCorrelation, told, type ToldSentence } from "./told-sentence.ts";

/** Training seeds from which an interval over seeds means much. */
const SEEDS_THAT_TELL = 3;

/** From this rank correlation on a ranking may be of the plain property that it follows. */
export const FOLLOWS = 0.3;

/** A thing to do, and the command that does it where there is one. */
export interface NextStep extends ToldSentence {
  readonly command?: string | undefined;
}

/** What the steps are said of, beside the result. */
export interface StepsOf {
  readonly run: RunFolder;
  /** In their order. */
  readonly rankings: readonly Pick<RunRanking, "label" | "path" | "ranking" | "report">[];
  /** Of the first ranking. */
  readonly confounds: ConfoundTable | undefined;
  /** The command that runs it again. */
  readonly again: string;
}

/** What to do with the result of a run, the most needed first. */
export function nextSteps(
  result: ExperimentResult | undefined,
  { run, rankings, confounds, again }: StepsOf,
): readonly NextStep[] {
  if (result === undefined) {
    const sentence =
      "If it is still at work, wait: the page Progress says how far it is, and this page fills by itself where it is served. If it was interrupted, give the same command again, and it goes on where it was.";
    return [{ ...told`${sentence}`, command: again }];
  }
  return [
    ...plain(stepsOfProbe(result)),
    ...stepsOfConfounds(confounds),
    ...plain(mostTelling(result) === undefined ? stepsOfTest(result) : []),
    ...stepsOfData(result, run),
    ...stepsOfEdit(result, run, rankings),
    ...plain(mostTelling(result) === undefined ? [] : stepsOfTest(result)),
    ...plain(stepsOfVerdict(result)),
  ];
}

const plain = (sentences: readonly string[]): NextStep[] =>
  sentences.map((sentence) => told`${sentence}`);

function stepsOfProbe({ probe }: ExperimentResult): string[] {
  const unstable =
    probe.doubt === undefined
      ? []
      : ["Bring more requests or more rollouts, so that the behaviour's vector becomes stable."];
  const { missing = 0, unknown = 0 } = probe.scenarios ?? {};
  const judged =
    unknown === 0
      ? []
      : [
          `Mend the judge: ${missing} verdicts are missing, and ${unknown} scenarios are unknown; the page Behaviour says why.`,
        ];
  return [...unstable, ...judged];
}

function stepsOfConfounds(confounds: ConfoundTable | undefined): NextStep[] {
  const followed = Object.entries(confounds ?? {}).flatMap(([name, found]) =>
    found !== undefined && Math.abs(found.r) >= FOLLOWS
      ? [told`${name} (${{ text: found.r.toFixed(2), tells: tellCorrelation(found) }})`]
      : [],
  );
  if (followed.length === 0) return [];
  const named = followed.reduce((all, each) => told`${all} and ${each}`);
  return [
    told`Rank again with length taken out (behavior.orthogonalTo: [length]) and compare: the score follows ${named}, and may be of that more than of the behaviour.`,
  ];
}

/** Whether the ranking was tested by training, and how well. */
function stepsOfTest({ edits, evaluation, seeds }: ExperimentResult): string[] {
  if (evaluation === undefined || edits.length === 0) {
    return [
      "Test the ranking: add edits, train and evaluate to the experiment file, and run it again. Only training without the top shows that it is the cause.",
    ];
  }
  const few =
    seeds.length < SEEDS_THAT_TELL
      ? [
          `Train with three seeds (train.seeds: [1, 2, 3]): with ${seeds.length === 1 ? "one" : "two"} the intervals hardly know what chance in the training does.`,
        ]
      : [];
  const skipped = edits.flatMap(({ arm, skipped: why }) =>
    why === undefined ? [] : [`${arm} was not trained: ${why}.`],
  );
  return [...few, ...skipped];
}

function stepsOfData({ methods }: ExperimentResult, run: RunFolder): NextStep[] {
  const verdict = methods[0]?.verdict;
  if (verdict?.kind === "no signal") return [];
  return [
    {
      ...told`Read the top of the ranking on the page Pairs, or decide pair by pair on the page Review, which this command serves: whether these pairs are wrong is for you to judge, the score says only where they point.`,
      command: `npx culprit ${shellWords(["report", shownPath(run.path), "--serve"])}`,
    },
    told`Look at the page Sources: a source far above its share is better mended where it comes from than pair by pair.`,
  ];
}

/** How to get data without what was shown to be the cause. */
function stepsOfEdit(
  result: ExperimentResult,
  run: RunFolder,
  rankings: StepsOf["rankings"],
): NextStep[] {
  const best = mostTelling(result);
  if (best === undefined || !best.isShown) return [];
  const { action, top, groups, method } = best.edit;
  if (action === "review") return [];
  const what =
    action === "drop-source"
      ? ["--sources", groups.map(({ group }) => group).join(",")]
      : ["--top", String(top)];
  // The run's own folder has the first one; others are in their stages.
  const used = rankings.find(({ label }) => label === method) ?? rankings[0];
  const isFirst = used === rankings[0];
  const path = isFirst || used === undefined ? join(run.path, "ranking.parquet") : used.path;
  // Seen from where the run's own folder is named, as in the other commands.
  const shown = join(shownPath(run.path), relative(run.path, path));
  const { layer } = used?.ranking ?? {};
  const isOneOfSeveral = (used?.report.rankings.length ?? 1) > 1 && layer !== undefined;
  const ranking = [
    "--ranking",
    shown,
    ...(isOneOfSeveral ? ["--ranking-layer", String(layer)] : []),
  ];
  const words = ["edit", ...pairArguments(run), ...ranking, "--action", action, ...what];
  return [
    {
      ...told`Write the data as they were trained on in that test, with the manifest that says how, into a new folder named edited:`,
      command: `npx culprit ${shellWords([...words, "--out", "edited"])}`,
    },
  ];
}

/** What the scores say about editing, where training has not shown it already. */
function stepsOfVerdict(result: ExperimentResult): string[] {
  const meaning = result.methods[0]?.verdict?.meaning;
  return meaning === undefined || mostTelling(result)?.isShown === true ? [] : [meaning];
}
