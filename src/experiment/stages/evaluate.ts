import { join } from "node:path";

import { concludeExperiment } from "../conclusions.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { type ExperimentResult, RESULT } from "../result.ts";
import type { Experiment } from "../schema.ts";
import type { Stage, StageInput, StageKind } from "../stage.ts";
import { agreementIds } from "./agreement.ts";
import { editName } from "./edit.ts";
import { type EvaluatedArms, listRows, measureArms, readEdits } from "./measured-arms.ts";
import {
  methodInputs,
  readAgreements,
  readMethods,
  readProbe,
  readSteered,
  steeringInputs,
} from "./outcomes.ts";

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
    version: 9,
    settings: {
      name,
      behavior: behavior.name,
      evaluation: evaluation && { ...evaluation, scenarios: undefined },
      evaluated,
    },
    inputs: {
      ...evaluateInputs(inputs, evaluated, { names, hasCapabilities }),
      ...methodInputs(experiment, inputs),
      ...steeringInputs(experiment),
    },
    run: async (work) => {
      const probe = await readProbe(work, experiment, inputs);
      const trigger = evaluation?.trigger;
      const edits = await readEdits(work, evaluated);
      const methods = await readMethods(work, experiment, inputs);
      const found = {
        format: "culprit-result",
        version: 1,
        name,
        behavior: behavior.name,
        pairs: methods[0]!.pairs,
        probe,
        methods,
        trigger,
        seeds: evaluated.seeds,
        edits,
        ...(await readSteered(work, experiment)),
        ...(await readAgreements(work, inputs)),
        evaluation:
          evaluation && (await measureArms(work, rows, edits, { ...evaluation, hasCapabilities })),
      } as const;
      const result: ExperimentResult = { ...found, conclusions: concludeExperiment(found) };
      await RESULT.write(join(work.directory, RESULT.name), result);
    },
  };
}

/** Everything that the result is put together from. */
function evaluateInputs(
  inputs: ExperimentInputs,
  { arms, seeds }: EvaluatedArms,
  measured: { readonly names: readonly string[]; readonly hasCapabilities: boolean },
): Record<string, StageInput> {
  const { probe, evaluation } = inputs;
  const each = (what: string, kind: StageKind): [string, StageInput][] =>
    measured.names.map((name) => [`${what} ${name}`, { stage: `${kind}-${name}` }]);
  return {
    behavior: { stage: "behavior" },
    ...(probe && { filter: { stage: "filter" } }),
    ...(evaluation && { scenarios: { content: evaluation.sha256 } }),
    ...Object.fromEntries(Object.values(agreementIds(inputs)).map((stage) => [stage, { stage }])),
    ...Object.fromEntries(each("judged", "evaluation-judge")),
    ...(measured.hasCapabilities && Object.fromEntries(each("capabilities", "capabilities"))),
    ...Object.fromEntries(
      arms.map((arm) => [`edit ${arm.id}`, { stage: `edit-${editName(arm, seeds[0]!)}` }]),
    ),
  };
}
