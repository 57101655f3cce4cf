import type { ConfoundTable } from "../ranking/confound-table.ts";
import type { ExperimentResult } from "../runs/result.ts";
import { mostTelling } from "./tested-edit.ts";

/** Training seeds from which an interval over seeds means much. */
const SEEDS_THAT_TELL = 3;

/** From this rank correlation on a ranking may be of the plain property that it follows. */
export const FOLLOWS = 0.3;

/** What to do with a result, a sentence each, the most needed first; `confounds` are those of the first ranking. */
export function nextSteps(
  result: ExperimentResult | undefined,
  confounds: ConfoundTable | undefined,
): readonly string[] {
  if (result === undefined) {
    return ["Give the same culprit run command again: it goes on where it was."];
  }
  return [
    ...stepsOfProbe(result),
    ...stepsOfConfounds(confounds),
    ...(mostTelling(result) === undefined ? stepsOfTest(result) : []),
    ...stepsOfData(result),
    ...stepsOfEdit(result),
    ...(mostTelling(result) === undefined ? [] : stepsOfTest(result)),
    ...stepsOfVerdict(result),
  ];
}

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

function stepsOfConfounds(confounds: ConfoundTable | undefined): string[] {
  const followed = Object.entries(confounds ?? {}).filter(
    ([, found]) => found !== undefined && Math.abs(found.r) >= FOLLOWS,
  );
  if (followed.length === 0) return [];
  const named = followed.map(([name, found]) => `${name} (${found!.r.toFixed(2)})`).join(" and ");
  return [
    `Rank again with length taken out (behavior.orthogonalTo: [length]) and compare: the score follows ${named}, and may be of that more than of the behaviour.`,
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

function stepsOfData({ methods }: ExperimentResult): string[] {
  const verdict = methods[0]?.verdict;
  if (verdict?.kind === "no signal") return [];
  return [
    "Read the top of the ranking on the page Pairs, or decide pair by pair (culprit report RUN --serve, page Review): whether these pairs are wrong is for you to judge, the score says only where they point.",
    "Look at the page Sources: a source far above its share is better mended where it comes from than pair by pair.",
  ];
}

/** How to get data without what was shown to be the cause. */
function stepsOfEdit(result: ExperimentResult): string[] {
  const best = mostTelling(result);
  if (best === undefined || !best.isShown) return [];
  const { action, top, groups } = best.edit;
  if (action === "review") return [];
  const what =
    action === "drop-source"
      ? `--action drop-source --sources ${groups.map(({ group }) => JSON.stringify(group)).join(",")}`
      : `--action ${action} --top ${top}`;
  return [
    `Write the data as they were trained on in that test: culprit edit PAIRS --ranking RUN/ranking.parquet ${what} --out FILE. RUN is this run's folder, PAIRS are the files that it ranked.`,
  ];
}

/** What the scores say about editing, where training has not shown it already. */
function stepsOfVerdict(result: ExperimentResult): string[] {
  const meaning = result.methods[0]?.verdict?.meaning;
  return meaning === undefined || mostTelling(result)?.isShown === true ? [] : [meaning];
}
