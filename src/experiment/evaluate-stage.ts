/** @file The last stage of an experiment: rates and measures of every arm that was trained. */
import { join } from "node:path";

import { isRandomPick } from "../edit/edit.ts";
import { VERDICTS } from "../judge/verdict.ts";
import { CAPABILITY_MEASURES } from "../rates/measure-capabilities.ts";
import type { ArmFiles, EvaluationFile, RunFiles } from "../rates/read-evaluation.ts";
import { readSkipped } from "../runs/stage-record.ts";
import { evaluate } from "../verbs/evaluate.ts";
import { type Arm, BASELINE, measuredName } from "./arms.ts";
import type { Planned } from "./plan-inputs.ts";
import type { Stage } from "./stage.ts";
import { verbStage } from "./verb-stage.ts";

/** What is measured: given checkpoints by name, and arms with every seed; with seeds also the arm of no edit. */
export interface EvaluatedArms {
  /** before, and after where it is given. */
  readonly given: readonly string[];
  readonly arms: readonly Arm[];
  readonly seeds: readonly number[];
}

/** One arm before it is read: its name, and the measured checkpoint of each seed. */
interface Row {
  readonly name: string;
  readonly isControl: boolean;
  readonly runs: readonly { readonly seed: string; readonly measured: string }[];
}

export function evaluateStage(
  { experiment }: Planned,
  evaluated: EvaluatedArms,
  { isMeasured }: { readonly isMeasured: boolean },
): Stage {
  const { scenarios: _s, rollouts: _r, trigger: _t, ...settings } = experiment.evaluate!; // who measures has it
  const rows = listRows(evaluated);
  const names = rows.flatMap(({ runs }) => runs.map(({ measured }) => measured));
  const kinds = ["evaluation-judge", ...(isMeasured ? ["capabilities"] : [])];
  return verbStage(evaluate, {
    settings: { ...settings, baseline: undefined, controls: undefined },
    inputs: {
      file: {
        stages: Object.fromEntries(
          names.flatMap((name) => kinds.map((kind) => [`${kind} ${name}`, `${kind}-${name}`])),
        ),
        settings: { rows },
        open: async (at: (name: string) => string): Promise<EvaluationFile> => {
          const toRun = ({ seed, measured }: Row["runs"][number]): RunFiles => ({
            seed,
            verdicts: join(at(`evaluation-judge ${measured}`), VERDICTS.name),
            capabilities: isMeasured
              ? join(at(`capabilities ${measured}`), CAPABILITY_MEASURES.name)
              : undefined,
            measures: {},
          });
          const arms: ArmFiles[] = [];
          const controls: string[] = [];
          for (const { name, isControl, runs } of rows) {
            // An edit of no pairs trains nothing.
            const [first] = runs;
            const isSkipped =
              first !== undefined &&
              (await readSkipped(at(`evaluation-judge ${first.measured}`))) !== undefined;
            if (isSkipped) continue;
            arms.push({ name, runs: runs.map(toRun) });
            if (isControl) controls.push(name);
          }
          // Without training nothing is compared but the given checkpoints.
          const baseline = evaluated.seeds.length > 0 ? BASELINE : arms.at(-1)!.name;
          return { baseline, controls, variants: undefined, arms };
        },
      },
    },
  });
}

function listRows({ given, arms, seeds }: EvaluatedArms): readonly Row[] {
  const trained = (name: string, isControl = false): Row => ({
    name,
    isControl,
    runs: seeds.map((seed) => ({ seed: `${seed}`, measured: measuredName(name, seed) })),
  });
  return [
    ...given.map((name) => ({
      name,
      isControl: false,
      runs: [{ seed: "given", measured: name }],
    })),
    ...(seeds.length > 0 ? [trained(BASELINE)] : []),
    ...arms.map(({ id, pick }) => trained(id, isRandomPick(pick))),
  ];
}
