/** @file The arms of an experiment: what was edited, and what was measured of each checkpoint. */
import { join } from "node:path";

import { EDIT } from "../../edit/edit.ts";
import { readVerdicts } from "../../judge/verdict.ts";
import { evaluateArms } from "../../rates/evaluate-arms.ts";
import type { Arm as EvaluatedArm, ArmRun, Evaluation } from "../../rates/evaluation.ts";
import { CAPABILITY_MEASURES } from "../../rates/measure-capabilities.ts";
import { type Arm, BASELINE, measuredName } from "../arms.ts";
import type { ArmEdit } from "../result.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped } from "../skipped.ts";
import type { StageWork } from "../stage.ts";
import { VERDICTS_NAME } from "./judge.ts";

/** What was measured: given checkpoints by name, and arms with every seed. */
export interface EvaluatedArms {
  /** before, and after where it is given. */
  readonly given: readonly string[];
  /** Whether there is a baseline: the arm of no edit. */
  readonly hasBaseline: boolean;
  readonly arms: readonly Arm[];
  readonly seeds: readonly number[];
}

/** One arm before it is read: its name, and the measured checkpoint of each seed. */
export interface Row {
  readonly name: string;
  readonly runs: readonly { readonly seed: string; readonly measured: string }[];
}

/** The rows of the result, before they are read. */
export function listRows({ given, hasBaseline, arms, seeds }: EvaluatedArms): readonly Row[] {
  const trained = (name: string): Row => ({
    name,
    runs: seeds.map((seed) => ({ seed: `${seed}`, measured: measuredName(name, seed) })),
  });
  return [
    ...given.map((name) => ({ name, runs: [{ seed: "given", measured: name }] })),
    ...(hasBaseline ? [trained(BASELINE)] : []),
    ...arms.map(({ id }) => trained(id)),
  ];
}

/** What the arms edited, and why those that were not trained were not. */
export async function readEdits(
  work: StageWork,
  { arms, seeds }: EvaluatedArms,
): Promise<readonly ArmEdit[]> {
  const edits: ArmEdit[] = [];
  for (const { id, method, action, pick, top, controls } of arms) {
    const edit = await EDIT.read(join(work.input(`edit ${id}`), EDIT.name));
    edits.push({
      arm: id,
      method,
      action,
      pick,
      top,
      pairs: edit.ids.length,
      groups: edit.groups.filter(({ edited }) => edited > 0),
      controls,
      skipped: await readSkipped(work.input(`judged ${measuredName(id, seeds[0])}`)),
    });
  }
  return edits;
}

/** Rates, measures and comparisons of every arm that was not skipped. */
export async function measureArms(
  work: StageWork,
  rows: readonly Row[],
  edits: readonly ArmEdit[],
  settings: NonNullable<Experiment["evaluation"]> & { readonly hasCapabilities: boolean },
): Promise<Evaluation> {
  const isSkipped = (name: string): boolean =>
    edits.some(({ arm, skipped }) => arm === name && skipped !== undefined);
  const arms: EvaluatedArm[] = [];
  for (const { name, runs } of rows.filter((row) => !isSkipped(row.name))) {
    const read: ArmRun[] = [];
    for (const { seed, measured } of runs) {
      const verdicts = await readVerdicts(join(work.input(`judged ${measured}`), VERDICTS_NAME));
      const measures = settings.hasCapabilities
        ? await CAPABILITY_MEASURES.read(
            join(work.input(`capabilities ${measured}`), CAPABILITY_MEASURES.name),
          )
        : {};
      read.push({ seed, verdicts, measures });
    }
    arms.push({ name, runs: read });
  }
  const { variants, replicates, seed } = settings;
  const controls = edits.filter(({ pick, arm }) => pick !== "chosen" && !isSkipped(arm));
  return evaluateArms(arms, {
    // Without training nothing is compared but the two given checkpoints.
    baseline: arms.some(({ name }) => name === BASELINE) ? BASELINE : arms.at(-1)!.name,
    controls: controls.map(({ arm }) => arm),
    variants,
    replicates,
    seed,
  });
}
