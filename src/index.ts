// util
export { writeFileAtomic } from "./util/atomic-file.ts";
export type { JobOptions, Progress } from "./util/progress.ts";
export { silentProgress } from "./util/progress.ts";
export {
  ConfigError,
  CulpritError,
  FormatError,
  RuntimeError,
  ShapeError,
  UnsupportedError,
} from "./util/errors.ts";
export { nearest } from "./util/nearest.ts";
export { VERSION } from "./util/version.ts";
export { clusteredRate, type ClusteredRate, type RateCells } from "./stats/clustered-rate.ts";
export { createRng, type Rng } from "./util/rng.ts";
export {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./util/float16.ts";

// hub
export { downloadCheckpoint } from "./hub/download-checkpoint.ts";
export type { HubEnvironment, HubOptions, RetryPolicy } from "./hub/hub-settings.ts";
export { formatHubUri, isHubUri, parseHubUri, type HubReference } from "./hub/hub-uri.ts";
export { resolveDatasetFiles } from "./hub/resolve-dataset-files.ts";

// format
export { ROLES, type Message, type Role } from "./format/messages.ts";
export {
  openSafetensors,
  parseSafetensorsHeader,
  SafetensorsFile,
  writeSafetensors,
  type SafetensorsDtype,
  type SafetensorsEntry,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from "./format/safetensors.ts";

// endpoint
export type { PaidAnswer } from "./endpoint/answer-lines.ts";
export {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "./endpoint/answer-store.ts";
export {
  type AskCounts,
  type Asker,
  createAsker,
  DEFAULT_ATTEMPTS,
  type RetrySettings,
} from "./endpoint/asker.ts";
export { describeCounts } from "./endpoint/describe-counts.ts";
export { keyOfVariable } from "./endpoint/check-endpoint.ts";
export {
  type ChatAnswer,
  type ChatEndpoint,
  type ChatRequest,
  DEFAULT_TIMEOUT_MS,
  type EndpointSettings,
  openChatEndpoint,
} from "./endpoint/chat-endpoint.ts";
export { EndpointFault } from "./endpoint/endpoint-fault.ts";
export { costOf, type Prices } from "./endpoint/money.ts";
export { DEFAULT_CONCURRENCY, type RequestLimits } from "./endpoint/request-gate.ts";

// data
export type {
  ColumnValue,
  PreferencePair,
  UnusableReason,
  UnusableRow,
} from "./pairs/preference-pair.ts";
export { auditPairs, type AuditOptions } from "./pairs/audit-pairs.ts";
export { type TokenCounts } from "./pairs/audit-truncation.ts";
export type { AuditReport, LengthComparison } from "./pairs/audit-report.ts";
export type { Share } from "./stats/wilson.ts";
export { type ResolveRemote } from "./pairs/expand-patterns.ts";
export {
  type DataFile,
  openPairs,
  type OpenPairsOptions,
  type PairSet,
} from "./pairs/open-pairs.ts";
export {
  readResponsePairs,
  writeResponsePairs,
  type ResponsePair,
  type ResponsePairs,
} from "./pairs/response-pairs.ts";
export {
  readScenarios,
  type Scenario,
  type ScenarioPrompt,
  scenarioPrompts,
  type ScenarioSet,
} from "./rollouts/scenarios.ts";
export type { UnknownKey } from "./pairs/unknown-keys.ts";
export {
  type BasePrompt,
  type BasePrompts,
  readBasePrompts,
  type ReadBasePromptsOptions,
} from "./rollouts/base-prompts.ts";
export {
  type ComposedScenarios,
  type ComposeOptions,
  composeScenarios,
} from "./rollouts/compose-scenarios.ts";
export {
  BUILT_IN_POOL,
  type Constraint,
  constraintFamily,
  readConstraints,
  selectConstraints,
} from "./rollouts/constraints.ts";
export {
  type ScenarioHalf,
  type ScenarioSplit,
  splitScenarios,
  type SplitOptions,
} from "./rollouts/split-scenarios.ts";
export { writeScenarios } from "./rollouts/write-scenarios.ts";
export { variantName } from "./rollouts/variant-name.ts";
export { PAIR_SHAPES, type PairShape } from "./pairs/shapes/shapes.ts";
export {
  openUnusableFile,
  type UnusableFile,
  type UnusableSummary,
  writeUnusable,
} from "./pairs/unusable-file.ts";

export { openSftFiles, type SftExample, type SftSet } from "./pairs/sft-examples.ts";

export {
  generateRollouts,
  type GenerateRolloutsOptions,
  type GenerateRolloutsResult,
} from "./rollouts/generate-rollouts.ts";
export {
  createSampleCounts,
  type LackingSamples,
  type SampleCounts,
} from "./rollouts/sample-counts.ts";
export {
  type EndpointRolloutsOptions,
  type EndpointRolloutsResult,
  generateFromEndpoint,
} from "./rollouts/endpoint-rollouts.ts";
export { importRollouts } from "./rollouts/import-rollouts.ts";
export { readRolloutPrompts, type RolloutPrompts } from "./rollouts/rollout-prompts.ts";
export { checkRolloutOutput, removeRollouts } from "./rollouts/rollout-sink.ts";
export {
  type AbsentRollout,
  readAbsentRollouts,
  ROLLOUT_MANIFEST,
  type RolloutManifest,
  rolloutManifestPath,
  type RolloutSampling,
} from "./rollouts/rollout-manifest.ts";
export { readRollouts, type Rollout } from "./rollouts/rollouts.ts";

// runtime
export { type Device, DEVICES } from "./runtime/device.ts";

// model: text
export { type ChatTemplate, loadChatTemplate, TemplateRefusal } from "./model/chat-template.ts";
export { TEMPLATE_DATE } from "./model/chat-template-date.ts";
export {
  createRenderer,
  type PromptRenderer,
  type RenderedExample,
} from "./model/prompt-renderer.ts";
export {
  UNUSABLE_EXAMPLE_REASONS,
  UnusableExampleError,
  type UnusableExampleReason,
} from "./model/prompt-renderer-error.ts";
export { truncateExample, type TruncatedExample } from "./model/prompt-renderer-truncate.ts";
export { loadTokenizer, type TextTokenizer } from "./model/tokenizer.ts";

// model: weights
export {
  openWeights,
  type CheckpointWeights,
  type ReadFloat32Options,
} from "./model/checkpoint-weights.ts";
export { applyLora } from "./model/lora.ts";

// engine
export type {
  EmbeddedExample,
  EmbedOptions,
  EmbeddingEngine,
  Engine,
  EngineIdentity,
  GeneratingEngine,
  TokenizedExample,
} from "./engine/engine.ts";
export { ActivationError } from "./engine/activation-error.ts";
export type { Amplification } from "./engine/generation/amplification.ts";
export type { Steering } from "./engine/generation/steering.ts";
export {
  type GeneratedSample,
  type GenerateOptions,
  type GenerationCounter,
  newGenerationCounter,
} from "./engine/generation/generate-options.ts";
export type { EngineHost, EngineOptions } from "./engine/engine-host.ts";
export { openEngine } from "./engine/local-host.ts";

// store
export { embedPairs, type EmbedPairsOptions, type EmbedPairsResult } from "./store/embed-pairs.ts";

export { openStore, type OpenStoreOptions, type VectorStore } from "./store/open-store.ts";
export { readStoreTable, type StoreTable } from "./store/read-store-table.ts";
export { readStoreNorms, streamBlocks, type VectorBlock } from "./store/stream-blocks.ts";
export { createManifest, type VectorStoreManifest } from "./store/vector-store-manifest.ts";
export { openStoreForWriting, type StoreWriter } from "./store/write-store.ts";

// judge
export {
  type Judge,
  type JudgedRollout,
  placeOf,
  rolloutContent,
  type RolloutWithPrompt,
} from "./judge/judge.ts";
export { estimateJudging, type JudgingEstimate } from "./judge/estimate-judging.ts";
export {
  createHumanJudge,
  expectSameContent,
  type HumanJudge,
  type HumanLabel,
  type HumanLabels,
  labelsOfJudges,
  readHumanLabels,
} from "./judge/human-labels.ts";
export { createLlmJudge, type LlmJudge } from "./judge/llm-judge.ts";
export {
  type JudgeUsage,
  type LlmJudgeOptions,
  STRUCTURED_MODES,
  type StructuredMode,
} from "./judge/llm-judge-options.ts";
export { BUILT_IN_RUBRICS, readRubric, type Rubric, type RubricAnswer } from "./judge/rubric.ts";
export { promptText } from "./judge/rubric-request.ts";
export { BUILT_IN_RULES, readRuleSet, type Rule, type RuleSet } from "./judge/rule-set.ts";
export { createRulesJudge } from "./judge/rules-judge.ts";
export { type Stratified, stratifiedSample } from "./judge/stratified-sample.ts";
export {
  missingCauses,
  tallyVerdicts,
  type VerdictTallies,
  type VerdictTally,
} from "./judge/tally-verdicts.ts";
export {
  type GivenVerdict,
  isMissing,
  type Label,
  type MissingVerdict,
  readVerdicts,
  type Verdict,
  type VerdictPlace,
  writeVerdicts,
} from "./judge/verdict.ts";

// behavior
export {
  type CheckpointRole,
  type ConditionRow,
  conditionsTable,
  type JudgedCheckpoints,
} from "./rates/conditions.ts";
export {
  groupedRollouts,
  noteGroups,
  type ScenarioGroups,
  scenarioGroups,
} from "./rates/scenario-groups.ts";
export {
  conditionName,
  type FilterDecision,
  type FilteredScenario,
  type FilterOptions,
  type FilterResult,
  filterScenarios,
} from "./rates/four-condition-filter.ts";
export {
  type PairedRollouts,
  pairRollouts,
  type RolloutPairsOptions,
} from "./rates/rollout-pairs.ts";
export {
  collectActivations,
  type CollectOptions,
  type ResponseActivations,
} from "./behavior/activations.ts";
export {
  computeBehavior,
  type Behavior,
  type BehaviorOptions,
  type LayerVectors,
} from "./behavior/behavior.ts";
export {
  readBehavior,
  BEHAVIOR_REPORT,
  behaviorReportPath,
  writeBehavior,
  type BehaviorReport,
  type StoredBehavior,
} from "./behavior/behavior-file.ts";
export type { BehaviorHead } from "./behavior/behavior-head.ts";
export type { LayerDiagnostics } from "./behavior/diagnostics.ts";
export type { HeldOut } from "./behavior/held-out.ts";
export { chooseLayer, type LayerChoice } from "./behavior/layer-choice.ts";
export { meanDifference, WEIGHTINGS, type Weighting } from "./behavior/mean-difference.ts";
export type { Measured } from "./behavior/measured.ts";
export {
  type EstimatedNuisance,
  estimateNuisance,
  nuisanceDoubts,
  nuisanceOfBehavior,
} from "./behavior/nuisance.ts";
export { type Probe, PROBES } from "./behavior/probe-kind.ts";
export { type Nuisance, projectOut, type RemovedDirections } from "./behavior/project-out.ts";
export {
  isMeasure,
  measureResponses,
  MEASURES,
  type ResponseMeasure,
} from "./behavior/response-measures.ts";
export { trainProbe, type TrainProbeOptions } from "./behavior/train-probe.ts";
export type { NormNull } from "./behavior/sign-flips.ts";
export type { CosineSummary, LeaveOneOut, SplitHalf } from "./behavior/stability.ts";
export type { UnusablePair } from "./behavior/tokenize-pairs.ts";

// attribution
export type {
  AttributionMethod,
  MethodCost,
  MethodTask,
  MethodTraits,
  MethodWork,
  PairScores,
  Scored,
  Sources,
  UsedMethod,
} from "./attribution/method.ts";
export { findMethod, METHODS } from "./attribution/methods/index.ts";
export { type PairRows, readPairRows, storeRows } from "./attribution/pair-rows.ts";
export { rankStore, type RankStoreOptions, type StoreScores } from "./attribution/rank-store.ts";
export { scorePairs, type ScorePairsOptions } from "./attribution/score-pairs.ts";
export type { ScoredBehavior } from "./attribution/scored-behavior.ts";
export { percentile, rankScores, ranksOf, type ScoreOrder } from "./attribution/rank-scores.ts";
export { SCORERS, type Scorer } from "./attribution/scorer.ts";
export type { NullComparison, NullTail } from "./attribution/null-comparison.ts";
export type { SignalStatistics, SignalTail } from "./attribution/signal-statistics.ts";
export { findLowNorms, type LowNorm } from "./attribution/low-norm.ts";
export { requireRankingFormat, writeRankings } from "./ranking/write-ranking.ts";

// evaluation
export { auroc, type Auroc } from "./stats/auroc.ts";
export {
  type BootstrapIntervals,
  type BootstrapOptions,
  clusterBootstrap,
} from "./stats/cluster-bootstrap.ts";
export {
  compareMeasure,
  type MeasureComparison,
  type MeasureSummary,
  type MeasureValues,
  summariseMeasure,
} from "./rates/compare-measures.ts";
export { compareRates, type RateComparison, type RateReduction } from "./rates/compare-rates.ts";
export { evaluateArms } from "./rates/evaluate-arms.ts";
export type {
  AdjustedComparison,
  Arm,
  ArmMeasure,
  ArmRate,
  ArmRun,
  EvaluateOptions,
  Evaluation,
  VariantRates,
} from "./rates/evaluation.ts";
export type { TopOverlap, UnrelatedComparison } from "./ranking/unrelated-null.ts";
export type { CorrectedRate } from "./rates/corrected-rate.ts";
export { correctedRates, type CorrectedRates } from "./rates/corrected-rates.ts";
export { type PpiRate, predictionPowered } from "./rates/prediction-powered.ts";
export { roganGladen } from "./rates/rogan-gladen.ts";
export {
  cohenKappa,
  judgeAgreement,
  type JudgeAgreement,
  type Kappa,
} from "./rates/judge-agreement.ts";
export { type JudgeBesidePeople, judgeBesidePeople } from "./rates/judge-beside-people.ts";
export { judgeCells, type JudgeCells } from "./rates/judge-cells.ts";
export { holm } from "./stats/holm.ts";
export {
  type EvaluationFile,
  readArms,
  readEvaluationFile,
  readMeasure,
  type RunFiles,
} from "./rates/read-evaluation.ts";
export {
  CONFOUNDS,
  confoundTable,
  rankConfounds,
  type ConfoundTable,
} from "./ranking/confound-table.ts";
export { liftTables, type LiftRow, type LiftTable } from "./ranking/lift-table.ts";
export {
  type Estimate,
  type QualityAtK,
  type RankingQuality,
  rankingQuality,
  type RankingQualityOptions,
} from "./ranking/ranking-quality.ts";
export { markPlanted, readPlanted } from "./ranking/planted.ts";
export { chooseGroupColumn } from "./ranking/group-column.ts";
export {
  reportRankings,
  type RankedPair,
  type RankingReport,
  type RankingReportOptions,
  type TopSize,
} from "./ranking/ranking-report.ts";
export { ratioInterval } from "./stats/ratio-interval.ts";
export {
  type Signal,
  SIGNALS,
  type SignalVerdict,
  signalVerdict,
} from "./ranking/signal-verdict.ts";
export { spearman, type Correlation } from "./stats/spearman.ts";

// steering
export {
  behaviorDirections,
  type BehaviorDirectionsOptions,
} from "./steering/behavior-directions.ts";
export { type LayerRow, type LayerTable, layerTable, LAYER_TABLE } from "./steering/layer-table.ts";
export { countShared, describeShared } from "./steering/shared-scenarios.ts";
export { steer, type SteerResult } from "./steering/steer.ts";
export {
  type ClaimOptions,
  claimSteeringFolder,
  expectSteeringFolder,
} from "./steering/steering-folder.ts";
export {
  DEFAULT_COHERENCE_BOUND,
  DEFAULT_HALVINGS,
  DEFAULT_PROJECT_OUT_AT,
  DEFAULT_RANDOM_DIRECTIONS,
  DEFAULT_STRENGTHS,
} from "./steering/steer-settings.ts";
export { steersTogether, unnamedLayers } from "./steering/steering-target.ts";
export {
  type AdjustedEffect,
  type CheckedArm,
  type Coherence,
  type LayerSteering,
  type ProjectOutAt,
  type RandomArms,
  type SteeredArm,
  type SteeredRate,
  STEERING,
  STEERING_MODES,
  STEERING_VERDICTS,
  type SteeringDirection,
  type SteeringEffect,
  type SteeringMode,
  type SteeringReport,
  type SteeringVerdict,
  type SteerOptions,
  type SteerRequest,
} from "./steering/steering-report.ts";

// training
export type { PairSource, SftSource, TrainPair } from "./training/examples.ts";
export { initCheckpoint } from "./training/init-checkpoint.ts";
export {
  CHECKPOINT_DTYPES,
  SCHEDULES,
  type Adaptation,
  type CheckpointDtype,
  type DpoSettings,
  type Schedule,
  type SftSettings,
  type TrainRequest,
  type TrainSettings,
} from "./training/settings.ts";
export { trainDpo, trainSft } from "./training/train.ts";
export type { TrainResult } from "./training/train-result.ts";

// edit
export { applyEdit, swapPair } from "./edit/apply-edit.ts";
export {
  EDIT_ACTIONS,
  EDIT_PICKS,
  type DroppedSource,
  type Edit,
  type EditAction,
  type EditedGroup,
  type EditPick,
  type EditSettings,
} from "./edit/edit.ts";
export { type EditedFile, type EditManifest, idLines } from "./edit/edit-manifest.ts";
export { type EditPaths, planEditPaths } from "./edit/edit-paths.ts";
export { type PairTable, readPairTable } from "./edit/pair-table.ts";
export { DEFAULT_MIN_LIFT, planEdit } from "./edit/plan-edit.ts";
export {
  createRanking,
  type Ranking,
  type RankingFile,
  type RankingKind,
  readRanking,
  readRankings,
} from "./ranking/ranking-file.ts";
export { type PairSurvey, surveyPairs } from "./edit/survey-pairs.ts";
export { verifyEdit } from "./edit/verify-edit.ts";
export { writeEdit, type WriteEditOptions, type WrittenEdit } from "./edit/write-edit.ts";

// experiment
export { addCosts, type Cost, type EndpointCost, type PricedCost } from "./engine/cost.ts";
export {
  estimateExperiment,
  type ExperimentEstimate,
  type StageEstimate,
} from "./experiment/estimate-experiment.ts";
export type { OpenInputsOptions } from "./experiment/open-inputs.ts";
export {
  type ExperimentStatus,
  readExperimentStatus,
  STAGE_STATES,
  type StageState,
  type StageStatus,
} from "./experiment/experiment-status.ts";
export {
  type ConditionChange,
  type ConditionRates,
  conditionRates,
} from "./rates/condition-rates.ts";
export { experimentJsonSchema } from "./experiment/json-schema.ts";
export type { JsonSchema } from "./verbs/json-schema.ts";
export {
  type ExperimentFile,
  parseExperiment,
  readExperiment,
  withTrainingSeeds,
} from "./experiment/read-experiment.ts";
export {
  type ArmEdit,
  type ExperimentResult,
  type FilteredScenarios,
  type ProbeResult,
  RESULT,
  type StageAgreement,
  TABLE_NAME,
} from "./experiment/result.ts";
export {
  type ExperimentRun,
  runExperiment,
  type RunExperimentOptions,
  type StagePlace,
} from "./experiment/run-experiment.ts";
export type { ManifestStage, RunManifest } from "./experiment/run-manifest.ts";
export type { FinishedStage } from "./experiment/run-stages.ts";
export { experimentSchema } from "./experiment/schema.ts";
export type { Experiment } from "./experiment/sections.ts";
export { settingsTable } from "./experiment/settings-table.ts";
export { type Stage, STAGE_KINDS, stageId } from "./experiment/stage.ts";
export { CAPABILITIES, type Capability } from "./rates/measure-capabilities.ts";
