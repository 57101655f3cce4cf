import { join } from "node:path";

import { evaluateArms } from "../../evaluation/evaluate-arms.ts";
import type { Arm as EvaluatedArm, ArmRun, Evaluation } from "../../evaluation/evaluation.ts";
import { readVerdicts } from "../../judge/verdict.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { type Arm, BASELINE, measuredName } from "../arms.ts";
import { concludeExperiment } from "../conclusions.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { type ArmEdit, type ExperimentResult, RESULT_NAME } from "../result.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped } from "../skipped.ts";
import type { Stage, StageInput, StageKind, StageWork } from "../stage.ts";
import { agreementIds } from "./agreement.ts";
import { readCapabilities } from "./capabilities.ts";
import { editName, readEdit } from "./edit.ts";
import { VERDICTS_NAME } from "./judge.ts";
import {
  readAgreements,
  readProbe,
  readSteered,
  readUsedRanking,
  steeringInputs,
} from "./outcomes.ts";
import { readQuality } from "./quality.ts";

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
interface Row {
  readonly name: string;
  readonly runs: readonly { readonly seed: string; readonly measured: string }[];
}

/** Puts everything together: `result.json`. */
export function evaluateStage(
  experiment: Experiment,
  inputs: ExperimentInputs,
  evaluated: EvaluatedArms,
): Stage {
  const rows = listRows(evaluated);
  const names = rows.flatMap(({ runs }) => runs.map(({ measured }) => measured));
  const hasCapabilities =
    names.length > 0 && Object.values(inputs.capabilities).some((each) => each !== undefined);
  const { name, behavior, evaluation } = experiment;
  return {
    kind: "evaluate",
    name: "",
    version: 4,
    settings: {
      name,
      behavior: behavior.name,
      evaluation: evaluation && { ...evaluation, scenarios: undefined },
      evaluated,
    },
    inputs: {
      ...evaluateInputs(inputs, evaluated, { names, hasCapabilities }),
      ...steeringInputs(experiment),
    },
    run: async (work) => {
      const probe = await readProbe(work, inputs);
      const trigger = evaluation?.trigger;
      const edits = await readEdits(work, evaluated);
      const ranked = await readUsedRanking(work);
      const found = {
        format: "culprit-result",
        version: 1,
        name,
        behavior: behavior.name,
        pairs: ranked.pairs,
        probe,
        verdict: ranked.verdict,
        quality: inputs.planted && (await readQuality(work.input("quality"))),
        trigger,
        seeds: evaluated.seeds,
        edits,
        ...(await readSteered(work, experiment)),
        ...(await readAgreements(work, inputs)),
        evaluation:
          evaluation && (await measureArms(work, rows, edits, { ...evaluation, hasCapabilities })),
      } as const;
      const result: ExperimentResult = { ...found, conclusions: concludeExperiment(found) };
      const path = join(work.directory, RESULT_NAME);
      await writeFileAtomic(path, `${JSON.stringify(result, undefined, 2)}\n`);
    },
  };
}

/** Everything that the result is put together from. */
function evaluateInputs(
  inputs: ExperimentInputs,
  { arms, seeds }: EvaluatedArms,
  measured: { readonly names: readonly string[]; readonly hasCapabilities: boolean },
): Record<string, StageInput> {
  const { probe, planted, evaluation } = inputs;
  const each = (what: string, kind: StageKind): [string, StageInput][] =>
    measured.names.map((name) => [`${what} ${name}`, { stage: `${kind}-${name}` }]);
  return {
    behavior: { stage: "behavior" },
    ranking: { stage: "rank" },
    ...(probe && { filter: { stage: "filter" } }),
    ...(planted && { quality: { stage: "quality" } }),
    ...(evaluation && { scenarios: { content: evaluation.sha256 } }),
    ...Object.fromEntries(Object.values(agreementIds(inputs)).map((stage) => [stage, { stage }])),
    ...Object.fromEntries(each("judged", "evaluation-judge")),
    ...(measured.hasCapabilities && Object.fromEntries(each("capabilities", "capabilities"))),
    ...Object.fromEntries(
      arms.map((arm) => [`edit ${arm.id}`, { stage: `edit-${editName(arm, seeds[0]!)}` }]),
    ),
  };
}

function listRows({ given, hasBaseline, arms, seeds }: EvaluatedArms): readonly Row[] {
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
async function readEdits(
  work: StageWork,
  { arms, seeds }: EvaluatedArms,
): Promise<readonly ArmEdit[]> {
  const edits: ArmEdit[] = [];
  for (const { id, action, pick, top, controls } of arms) {
    const edit = await readEdit(work.input(`edit ${id}`));
    edits.push({
      arm: id,
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

async function measureArms(
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
        ? await readCapabilities(work.input(`capabilities ${measured}`))
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
