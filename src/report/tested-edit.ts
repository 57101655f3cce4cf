import { takesChosen } from "../edit/edit.ts";
import { hardestControl } from "../rates/beside-controls.ts";
import type { ArmRate } from "../rates/evaluation.ts";
import type { ArmEdit, ExperimentResult } from "../runs/result.ts";
import { triggeredArms } from "./triggered-arms.ts";

/** Below this an adjusted p-value counts as telling. */
export const LEVEL = 0.05;

/** An edit by the ranking or by people that was trained on, with what it is held to. */
export interface TestedEdit {
  readonly edit: ArmEdit;
  readonly arm: ArmRate;
  /** The arm of as many random pairs; undefined where there is none. */
  readonly control: ArmRate | undefined;
  /** The checkpoint before training, where it was measured. */
  readonly before: ArmRate | undefined;
  /** Trained on all pairs. */
  readonly baseline: ArmRate;
  /** Training seeds of arm and control with a judged rollout, the fewer. */
  readonly seeds: number;
  /** Rarer than the baseline and than the control, each more than chance explains. */
  readonly isShown: boolean;
}

/** The edit that says most: shown before not shown, single pairs before whole sources, few before many. Undefined where none was trained. */
export function mostTelling(
  result: Pick<ExperimentResult, "edits" | "evaluation" | "trigger">,
): TestedEdit | undefined {
  const { evaluation, trigger } = result;
  const rates = triggeredArms(evaluation, trigger);
  const baseline = rates.find(({ arm }) => arm === evaluation?.baseline);
  if (baseline === undefined) return undefined;
  const before = rates.find(({ arm }) => arm === "before");
  const tested = result.edits
    // A model trained on a tenth is held to other tenths, not to the one trained on all pairs.
    .filter((edit) => takesChosen(edit) && edit.skipped === undefined)
    .flatMap((edit): TestedEdit[] => {
      const arm = rates.find((each) => each.arm === edit.arm);
      if (arm === undefined) return [];
      const beside = hardestControl(arm, edit.controls);
      const control = rates.find((each) => each.arm === beside?.against);
      const isShown = [arm.toBaseline, beside].every(
        (each) => each !== undefined && each.difference < 0 && each.adjustedP < LEVEL,
      );
      const seeds = Math.min(...[arm, ...(control === undefined ? [] : [control])].map(seedsOf));
      return [{ edit, arm, control, before, baseline, seeds, isShown }];
    });
  return tested.toSorted(
    (a, b) =>
      Number(b.isShown) - Number(a.isShown) ||
      ORDER.indexOf(a.edit.action) - ORDER.indexOf(b.edit.action) ||
      a.edit.pairs - b.edit.pairs,
  )[0];
}

/** Of the edits that show it: the one that says most about single pairs. */
const ORDER: readonly ArmEdit["action"][] = ["review", "filter", "swap", "drop-source"];

/** Training seeds with a judged rollout. */
export const seedsOf = ({ bySeed }: ArmRate): number =>
  bySeed.filter(({ rate }) => rate !== undefined).length;

/** What a model was trained on, as it goes on after "trained". */
export function describeEdit({ action, pairs, groups, top }: ArmEdit): string {
  if (action === "review")
    return `with the ${pairs} pairs dropped or swapped that people decided on`;
  if (action === "swap") return `with the ${pairs} pairs ranked highest swapped`;
  if (action === "filter") return `without the ${pairs} pairs ranked highest`;
  const names = groups.map(({ group }) => group).join(" and ");
  return names === "" ? `without the sources of the top ${top}` : `without all of ${names}`;
}
