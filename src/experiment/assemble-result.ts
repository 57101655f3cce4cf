/** @file `result.json`, put together from what the stages found. */
import { join } from "node:path";

import { BEHAVIOR_FILE, BEHAVIOR_REPORT } from "../behavior/behavior-file.ts";
import { readUsedLayer } from "../behavior/used-layer.ts";
import { EDIT, isRandomPick } from "../edit/edit.ts";
import { AUDIT } from "../pairs/audit-report.ts";
import { QUALITY } from "../ranking/ranking-quality.ts";
import { RANK_REPORT } from "../ranking/ranking-report.ts";
import { CONDITIONS, type ConditionsReport, missingByCause } from "../rates/condition-rates.ts";
import { EVALUATION } from "../rates/evaluation.ts";
import type { FilterDecision } from "../rates/four-condition-filter.ts";
import { AGREEMENT } from "../rates/judge-beside-people.ts";
import { concludeExperiment } from "../report/conclusions.ts";
import type {
  ArmEdit,
  ExperimentResult,
  FilteredScenarios,
  MethodResult,
  ProbeResult,
  StageAgreement,
} from "../runs/result.ts";
import { readSkipped } from "../runs/stage-record.ts";
import { layerTable } from "../steering/layer-table.ts";
import { STEERING } from "../steering/steering-report.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import { steer } from "../verbs/steer.ts";
import { listArms, measuredName } from "./arms.ts";
import { qualityId, rankId } from "./method-stages.ts";
import type { Planned } from "./plan-inputs.ts";
import { agreementOf, editName } from "./plan-stages.ts";

/** The folder of a finished stage, by its id. */
export type FolderOf = (stage: string) => string;

/** Reads what the stages of an experiment found; all of them are finished. */
export async function assembleResult(planned: Planned, at: FolderOf): Promise<ExperimentResult> {
  const { name, behavior, evaluate, train } = planned.experiment;
  const methods = await readMethods(planned, at);
  const found = {
    format: "culprit-result",
    version: 1,
    name,
    behavior: behavior.name,
    pairs: methods[0]!.pairs, // one at least
    probe: await readProbe(planned, at),
    ...(await readMembership(planned, at)),
    methods,
    trigger: evaluate?.trigger,
    seeds: evaluate === undefined ? [] : (train?.seeds ?? []),
    edits: evaluate === undefined ? [] : await readEdits(planned, at),
    ...(await readSteered(planned, at)),
    ...(await readAgreements(planned, at)),
    evaluation: evaluate && (await EVALUATION.read(join(at("evaluate"), EVALUATION.name))),
  } as const;
  return { ...found, conclusions: concludeExperiment(found) };
}

/** What every method found. */
function readMethods(
  { experiment, inputs }: Planned,
  at: FolderOf,
): Promise<readonly MethodResult[]> {
  return Promise.all(
    experiment.rank.methods.map(async (choice): Promise<MethodResult> => {
      const name = methodLabel(choice);
      const stage = rankId(experiment, name);
      const report = await RANK_REPORT.read(join(at(stage), RANK_REPORT.name));
      const { layer, cost, skippedNulls, rankings } = report;
      const { method, pairs, verdict, refined } = rankings.find((each) => each.layer === layer)!; // one for each layer
      const qualities =
        inputs.planted === undefined
          ? undefined
          : await QUALITY.read(join(at(qualityId(experiment, name)), QUALITY.name));
      const quality = qualities?.[0];
      const { formula } = method;
      return { name, formula, pairs, stage, cost, verdict, refined, skippedNulls, quality };
    }),
  );
}

/** Whether the checkpoint after was trained on the pairs. */
async function readMembership(
  { experiment }: Planned,
  at: FolderOf,
): Promise<Pick<ExperimentResult, "membership">> {
  if (experiment.membership === undefined) return {};
  const { membership } = await AUDIT.read(join(at("membership"), AUDIT.name));
  const { verdict, remarks, claimed, heldOut } = membership!; // the stage has both checkpoints
  const prompts = {
    claimed: claimed.figures.prompts,
    heldOut: heldOut?.figures.prompts ?? 0,
  };
  return { membership: { verdict, remarks, prompts } };
}

/** How the behaviour was found, and the layer of rankings. */
async function readProbe({ experiment, inputs }: Planned, at: FolderOf): Promise<ProbeResult> {
  const folder = at("behavior");
  const report = await BEHAVIOR_REPORT.read(join(folder, BEHAVIOR_REPORT.name));
  const { layer, layerReason = "named in the experiment file" } = await readUsedLayer(
    join(folder, BEHAVIOR_FILE.name),
    experiment.rank.layer,
  );
  const filter =
    inputs.probe === undefined
      ? undefined
      : await CONDITIONS.read(join(at("conditions"), CONDITIONS.name));
  return {
    layer,
    layerReason,
    responsePairs: report.counts.pairs,
    prompts: report.counts.prompts,
    doubt: report.doubts[`${layer}`],
    nuisanceDoubts: report.nuisanceDoubts,
    scenarios: filter && countScenarios(filter),
    rates: filter && { conditions: filter.conditions, changes: filter.changes },
    amplify: filter?.amplify,
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

/** What steering did. */
async function readSteered(
  { experiment }: Planned,
  at: FolderOf,
): Promise<Pick<ExperimentResult, "steering" | "layerTable">> {
  const { modes = [] } = experiment.steer ?? {};
  if (modes.length === 0) return {};
  const steering = await Promise.all(
    modes.map((mode) =>
      STEERING.read(join(at(`steer-${mode}`), steer.outputs.out.artifact.name, STEERING.name)),
    ),
  );
  const added = steering.find(({ mode, layers }) => mode === "add" && layers.length > 1);
  if (added === undefined) return { steering };
  const { diagnostics } = await BEHAVIOR_REPORT.read(join(at("behavior"), BEHAVIOR_REPORT.name));
  return { steering, layerTable: layerTable(diagnostics, added) };
}

/** The judge beside people, for each stage whose rollouts they labelled. */
async function readAgreements(
  { experiment, inputs }: Planned,
  at: FolderOf,
): Promise<Pick<ExperimentResult, "agreements">> {
  if (experiment.judge?.meaning !== undefined) return {};
  const agreements: StageAgreement[] = [];
  for (const stage of Object.keys(inputs.labels)) {
    const folder = at(agreementOf(stage));
    const found = await AGREEMENT.find(join(folder, AGREEMENT.name));
    if (found !== undefined) agreements.push({ stage, ...found });
  }
  return agreements.length === 0 ? {} : { agreements };
}

/** What the arms edited, and why those that were not trained were not. */
async function readEdits(
  { experiment, inputs }: Planned,
  at: FolderOf,
): Promise<readonly ArmEdit[]> {
  const seed = experiment.train?.seeds[0] ?? 0; // edits need training
  return Promise.all(
    listArms(experiment, inputs.planted?.length ?? 0).map(async (arm): Promise<ArmEdit> => {
      const { id, method, action, pick, top, tenth, controls } = arm;
      const edit = await EDIT.read(join(at(`edit-${editName(arm, seed)}`), EDIT.name));
      return {
        arm: id,
        method,
        action,
        pick,
        top,
        tenth: isRandomPick(pick) ? undefined : tenth,
        pairs: edit.ids.length,
        groups: edit.groups.filter(({ edited }) => edited > 0),
        controls,
        skipped: await readSkipped(at(`evaluation-judge-${measuredName(id, seed)}`)),
      };
    }),
  );
}
