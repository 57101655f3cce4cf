/**
 * @file What other programs import: the verbs, experiments, and the parts that scripts of our own use. docs/reference.md lists it by
 * purpose; test/library.test.ts holds that list to this one.
 */
export type { AttributionMethod } from "./attribution/method.ts";
export { METHODS } from "./attribution/methods/index.ts";
export { rankScores } from "./attribution/rank-scores.ts";
export { rankStore } from "./attribution/rank-store.ts";
export { type ResponseActivations, collectActivations } from "./behavior/activations.ts";
export {
  type BehaviorReport,
  type StoredBehavior,
  readBehavior,
  writeBehavior,
} from "./behavior/behavior-file.ts";
export { type Behavior, computeBehavior } from "./behavior/behavior.ts";
export { estimateNuisance } from "./behavior/nuisance.ts";
export { PROBES, type Probe } from "./behavior/probe-kind.ts";
export { projectOut } from "./behavior/project-out.ts";
export { measureResponses } from "./behavior/response-measures.ts";
export { trainProbe } from "./behavior/train-probe.ts";
export type { PricedCost } from "./engine/cost.ts";
export type { EngineHost, EngineOptions } from "./engine/engine-host.ts";
export type { Engine } from "./engine/engine.ts";
export { ENGINES } from "./engine/engines.ts";
export { newGenerationCounter } from "./engine/generation/generate-options.ts";
export { openEngine } from "./engine/local-host.ts";
export { type ExperimentEstimate, estimateExperiment } from "./experiment/estimate-experiment.ts";
export {
  type PlannedStage,
  planRun,
  type PlanRunOptions,
  type RunPlan,
} from "./experiment/plan-run.ts";
export { readExperimentStatus } from "./runs/experiment-status.ts";
export { experimentJsonSchema } from "./experiment/schema.ts";
export type { OpenInputsOptions } from "./experiment/open-inputs.ts";
export {
  type ExperimentFile,
  parseExperiment,
  readExperiment,
  withTrainingSeeds,
} from "./experiment/read-experiment.ts";
export { type ExperimentResult, RESULT } from "./runs/result.ts";
export {
  type ExperimentRun,
  type RunExperimentOptions,
  runExperiment,
} from "./experiment/run-experiment.ts";
export { experimentSchema } from "./experiment/schema.ts";
export type { Experiment } from "./experiment/sections.ts";
export { STAGE_KINDS, type Stage, stageId } from "./experiment/stage.ts";
export { type SafetensorsTensor, writeSafetensors } from "./format/safetensors.ts";
export { type Decision, readDecisions } from "./edit/decisions.ts";
export { reviewedPrecision } from "./edit/review-figures.ts";
export { type Verdict, isMissing, readVerdicts } from "./judge/verdict.ts";
export { type PairSet, openPairs } from "./pairs/open-pairs.ts";
export type { ColumnValue } from "./pairs/preference-pair.ts";
export { readResponsePairs } from "./pairs/response-pairs.ts";
export { openSftFiles } from "./pairs/sft-examples.ts";
export { markPlanted, readPlanted } from "./ranking/planted.ts";
export { rankingQuality } from "./ranking/ranking-quality.ts";
export { type MadeReport, type MakeReportOptions, makeReport } from "./report/make-report.ts";
export { type PairReading, openRunPairs } from "./report/pair-reading.ts";
export { type ReportData, readReport } from "./report/read-report.ts";
export type { PairDetail, PairRow, ReportSource } from "./report/report-source.ts";
export { type RunFolder, openRunFolder } from "./report/run-folder.ts";
export { type RunSource, openRunSource } from "./report/serve/run-source.ts";
export { generateRollouts } from "./rollouts/generate-rollouts.ts";
export { readRolloutPrompts } from "./rollouts/rollout-prompts.ts";
export { type Rollout, readRollouts } from "./rollouts/rollouts.ts";
export type { LayerSteering, SteeringReport } from "./steering/steering-report.ts";
export { openApi } from "./serve/open-api.ts";
export { type ServedRun, serveRun } from "./serve/serve-run.ts";
export { type VectorStore, openStore } from "./store/open-store.ts";
export { readStoreTable } from "./store/read-shard.ts";
export { type VectorStoreManifest, createManifest } from "./store/vector-store-manifest.ts";
export { openStoreForWriting } from "./store/write-store.ts";
export type { TrainPair } from "./training/prepare.ts";
export { initCheckpoint } from "./training/init-checkpoint.ts";
export type { DpoSettings, SftSettings, TrainRequest } from "./training/settings.ts";
export type { TrainResult } from "./training/metrics.ts";
export { trainDpo, trainSft } from "./training/train.ts";
export {
  ConfigError,
  CulpritError,
  FormatError,
  RuntimeError,
  ShapeError,
  UnsupportedError,
} from "./util/errors.ts";
export { type JobOptions, type Progress, silentProgress } from "./util/progress.ts";
export { type Rng, createRng } from "./util/rng.ts";
export { VERSION } from "./util/version.ts";
export { agreement } from "./verbs/agreement.ts";
export { audit } from "./verbs/audit.ts";
export { behavior } from "./verbs/behavior.ts";
export { capabilities } from "./verbs/capabilities.ts";
export { conditions } from "./verbs/conditions.ts";
export { discover } from "./verbs/discover.ts";
export { doctor } from "./verbs/doctor.ts";
export { edit } from "./verbs/edit.ts";
export { elicit } from "./verbs/elicit.ts";
export { embed } from "./verbs/embed.ts";
export { evaluate } from "./verbs/evaluate.ts";
export { forecast } from "./verbs/forecast.ts";
export { generate } from "./verbs/generate.ts";
export { importing } from "./verbs/import.ts";
export { VERBS } from "./verbs/index.ts";
export { judge } from "./verbs/judge.ts";
export { quality } from "./verbs/quality.ts";
export { rank } from "./verbs/rank.ts";
export { refine } from "./verbs/refine.ts";
export { report } from "./verbs/report.ts";
export { type GivenInput, type RunVerbOptions, runVerb } from "./verbs/run-verb.ts";
export { scenarios } from "./verbs/scenarios.ts";
export { shifts } from "./verbs/shifts.ts";
export { show } from "./verbs/show.ts";
export { silentWork } from "./verbs/silent-work.ts";
export { steer } from "./verbs/steer.ts";
export { train } from "./verbs/train.ts";
export { type Input, type Output, type Verb, type Work, defineVerb } from "./verbs/verb.ts";
