import type { ArmRate } from "../rates/evaluation.ts";
import type { ArmEdit, ExperimentResult } from "../runs/result.ts";

/** Below this an adjusted p-value counts as telling. */
const LEVEL = 0.05;

/** The verdict on a run. */
export interface Headline {
  /**
   * `shown`: without its top the behaviour is rarer, more than random pairs explain. `unshown`: not told from chance or from random pairs.
   * `ranked`: nothing was trained to test the ranking. `unstable`: the vector is noise. `unfinished`: there is no result.
   */
  readonly kind: "shown" | "unshown" | "ranked" | "unstable" | "unfinished";
  /** One sentence. */
  readonly sentence: string;
}

/** The verdict on a run in one sentence: the best edit beside its random control, or what the ranking alone says. */
export function headline(result: ExperimentResult | undefined): Headline {
  if (result === undefined) {
    return {
      kind: "unfinished",
      sentence: "The run has not ended: there is no result yet, and what stands here is a part.",
    };
  }
  const { probe } = result;
  if (probe.doubt !== undefined) {
    return {
      kind: "unstable",
      sentence: `The behaviour's vector is not stable (${probe.doubt}), so the ranking is evidence of nothing.`,
    };
  }
  return bestEdit(result) ?? rankingAlone(result);
}

function bestEdit(result: ExperimentResult): Headline | undefined {
  const { evaluation, trigger } = result;
  const rates = evaluation?.variants.find(({ variant }) => variant === trigger)?.arms ?? [];
  const baseline = rates.find(({ arm }) => arm === evaluation?.baseline);
  const [best] = testedEdits(result, rates).toSorted(
    (a, b) =>
      Number(b.isShown) - Number(a.isShown) ||
      ORDER.indexOf(a.edit.action) - ORDER.indexOf(b.edit.action) ||
      a.edit.pairs - b.edit.pairs,
  );
  if (best === undefined || baseline === undefined) return undefined;
  const { edit, arm, control, isShown } = best;
  const before = rates.find((each) => each.arm === "before");
  const start =
    before === undefined
      ? `Trained on all pairs the rate is ${percent(baseline)}`
      : `Training takes the rate from ${percent(before)} to ${percent(baseline)}`;
  const beside =
    control === undefined
      ? "no random control stands beside it"
      : `with as many random pairs edited instead it is ${percent(control)}`;
  const seeds = Math.min(...[arm, ...(control === undefined ? [] : [control])].map(seedsOf));
  const close = !isShown
    ? "that it is these pairs is not shown"
    : seeds < 2
      ? "in this one training it is these pairs, more than chance explains"
      : "it is these pairs, more than chance explains";
  return {
    kind: isShown ? "shown" : "unshown",
    sentence: `${start}; ${describeEdit(edit)} it is ${percent(arm)}, ${beside}: ${close}.`,
  };
}

/** Of the edits that show it: the one that says most about single pairs. */
const ORDER = ["review", "filter", "swap", "drop-source"];

/** Training seeds with a judged rollout. */
const seedsOf = ({ bySeed }: ArmRate): number =>
  bySeed.filter(({ rate }) => rate !== undefined).length;

interface TestedEdit {
  readonly edit: ArmEdit;
  readonly arm: ArmRate;
  readonly control: ArmRate | undefined;
  readonly isShown: boolean;
}

function testedEdits(result: ExperimentResult, rates: readonly ArmRate[]): TestedEdit[] {
  return result.edits
    .filter(({ pick, skipped }) => pick === "chosen" && skipped === undefined)
    .flatMap((edit) => {
      const arm = rates.find((each) => each.arm === edit.arm);
      if (arm === undefined) return [];
      const control = rates.find((each) => edit.controls.includes(each.arm));
      const beside = arm.toControls.find(({ against }) => edit.controls.includes(against));
      const told = [arm.toBaseline, beside].every(
        (each) => each !== undefined && each.difference < 0 && each.adjustedP < LEVEL,
      );
      return [{ edit, arm, control, isShown: told }];
    });
}

function rankingAlone({ methods, probe }: ExperimentResult): Headline {
  const [method] = methods;
  const verdict = method?.verdict;
  const start = `${method?.pairs ?? 0} pairs are ranked at layer ${probe.layer}`;
  const found =
    verdict === undefined
      ? "nothing says whether few of them stand out"
      : `${verdict.kind}: ${verdict.reason}`;
  return {
    kind: "ranked",
    sentence: `${start}; ${found}. Nothing was trained without them, so that they are the cause is not shown.`,
  };
}

function describeEdit({ action, pairs, groups, top }: ArmEdit): string {
  if (action === "review")
    return `with the ${pairs} pairs dropped or swapped that people decided on`;
  if (action === "swap") return `with the ${pairs} pairs ranked highest swapped`;
  if (action === "filter") return `without the ${pairs} pairs ranked highest`;
  const names = groups.map(({ group }) => group).join(" and ");
  return names === "" ? `without the sources of the top ${top}` : `without all of ${names}`;
}

function percent({ rate: { rate, low, high } }: ArmRate): string {
  if (rate === undefined) return "unknown";
  const figure = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const interval =
    low === undefined || high === undefined ? "" : ` [${figure(low)}, ${figure(high)}]`;
  return `${figure(rate)}${interval}`;
}
