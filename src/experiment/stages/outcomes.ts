/** @file What earlier stages found, as the result has it. */
import { join } from "node:path";

import { BEHAVIOR_REPORT, type BehaviorReport } from "../../behavior/behavior-file.ts";
import { readUsedLayer } from "../../behavior/used-layer.ts";
import { QUALITY } from "../../ranking/ranking-quality.ts";
import { RANK_REPORT } from "../../ranking/ranking-report.ts";
import { missingByCause } from "../../rates/condition-rates.ts";
import { CONDITIONS, type ConditionsReport } from "../../rates/conditions-report.ts";
import type { FilterDecision } from "../../rates/four-condition-filter.ts";
import { layerTable } from "../../steering/layer-table.ts";
import { STEERING } from "../../steering/steering-report.ts";
import { methodLabel } from "../../verbs/settings/methods.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type {
  ExperimentResult,
  FilteredScenarios,
  MethodResult,
  ProbeResult,
  StageAgreement,
} from "../result.ts";
import type { Experiment } from "../schema.ts";
import type { StageInput, StageWork } from "../stage.ts";
import { agreementIds, readAgreement } from "./agreement.ts";
import { BEHAVIOR_NAME } from "./behavior.ts";
import { methodStage } from "./rank.ts";

/** The rankings and qualities of all methods, as inputs. */
export function methodInputs(
  experiment: Experiment,
  { planted }: ExperimentInputs,
): Record<string, StageInput> {
  const kinds = ["rank", ...(planted === undefined ? [] : ["quality" as const])] as const;
  return Object.fromEntries(
    experiment.attribution.methods.flatMap((method) =>
      kinds.map((kind) => {
        const stage = methodStage(experiment, kind, methodLabel(method));
        return [stage, { stage }];
      }),
    ),
  );
}

/** What every method found. */
export async function readMethods(
  work: StageWork,
  experiment: Experiment,
  { planted }: ExperimentInputs,
): Promise<readonly MethodResult[]> {
  return Promise.all(
    experiment.attribution.methods.map(async (choice): Promise<MethodResult> => {
      const name = methodLabel(choice);
      const stage = methodStage(experiment, "rank", name);
      const { layer, cost, skippedNulls, rankings } = await RANK_REPORT.read(
        join(work.input(stage), RANK_REPORT.name),
      );
      const used = rankings.find((each) => each.layer === layer)!; // one for each layer
      const { pairs, verdict } = used;
      const qualities =
        planted &&
        (await QUALITY.read(
          join(work.input(methodStage(experiment, "quality", name)), QUALITY.name),
        ));
      const { formula } = used.method;
      return {
        name,
        formula,
        pairs,
        stage,
        cost,
        verdict,
        skippedNulls,
        quality: qualities?.[0],
      };
    }),
  );
}

/** How the behaviour was found, and the layer of rankings. */
export async function readProbe(
  work: StageWork,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Promise<ProbeResult> {
  const report = await readBehaviorOf(work);
  const { layer, layerReason = "named in the experiment file" } = await readUsedLayer(
    join(work.input("behavior"), BEHAVIOR_NAME),
    experiment.attribution.layer,
  );
  const filter =
    inputs.probe === undefined
      ? undefined
      : await CONDITIONS.read(join(work.input("filter"), CONDITIONS.name));
  return {
    layer,
    layerReason,
    responsePairs: report.counts.pairs,
    prompts: report.counts.prompts,
    doubt: report.doubts[`${layer}`],
    nuisanceDoubts: report.nuisanceDoubts,
    scenarios: filter && countScenarios(filter),
    ...(filter && { rates: { conditions: filter.conditions, changes: filter.changes } }),
    ...(filter?.amplify === undefined ? {} : { amplify: filter.amplify }),
  };
}

function countScenarios({
  scenarios,
  requirements,
  conditions,
}: ConditionsReport): FilteredScenarios {
  const count = (decision: FilterDecision): number =>
    scenarios.filter((each) => each.decision === decision).length;
  const causes = missingByCause(
    conditions,
    requirements.map(({ variant }) => variant),
  );
  return {
    kept: count("kept"),
    dropped: count("dropped"),
    unknown: count("unknown"),
    of: scenarios.length,
    missing: Object.values(causes).reduce((sum, each) => sum + each, 0),
    causes,
  };
}

function readBehaviorOf(work: StageWork): Promise<BehaviorReport> {
  return BEHAVIOR_REPORT.read(join(work.input("behavior"), BEHAVIOR_REPORT.name));
}

/** The stages that steer, as inputs. */
export function steeringInputs({ steering }: Experiment): Record<string, StageInput> {
  const modes = steering?.modes ?? [];
  return Object.fromEntries(modes.map((mode) => [`steer ${mode}`, { stage: `steer-${mode}` }]));
}

/** What steering did. */
export async function readSteered(
  work: StageWork,
  experiment: Experiment,
): Promise<Pick<ExperimentResult, "steering" | "layerTable">> {
  const names = Object.keys(steeringInputs(experiment));
  if (names.length === 0) return {};
  const steering = await Promise.all(
    names.map((name) => STEERING.read(join(work.input(name), STEERING.name))),
  );
  const added = steering.find(({ mode, layers }) => mode === "add" && layers.length > 1);
  if (added === undefined) return { steering };
  const { diagnostics } = await readBehaviorOf(work);
  return { steering, layerTable: layerTable(diagnostics, added) };
}

/** The judge beside people, for each stage whose rollouts they labelled. */
export async function readAgreements(
  work: StageWork,
  inputs: ExperimentInputs,
): Promise<Pick<ExperimentResult, "agreements">> {
  const agreements: StageAgreement[] = [];
  for (const [stage, id] of Object.entries(agreementIds(inputs))) {
    const found = await readAgreement(work.input(id));
    if (found !== undefined) agreements.push({ stage, ...found });
  }
  return agreements.length === 0 ? {} : { agreements };
}
