/** @file Training runs: from examples and settings to a checkpoint. */
import { join } from "node:path";

import { localHost } from "../engine/local-host.ts";
import type { Trainer } from "../engine/trainer.ts";
import { describeLostMarks, describeMarks } from "../pairs/describe-marks.ts";
import { describeHidden } from "../pairs/hidden-counts.ts";
import type { DataFile } from "../pairs/open-pairs.ts";
import { describeCutOff } from "../pairs/unusable-file.ts";
import { writeUnusable } from "../pairs/unusable-file.ts";
import { ConfigError } from "../util/errors.ts";
import { expectWritable, makeFolder } from "../util/make-folder.ts";
import { limitTokens } from "../util/setting-kinds.ts";
import { VERSION } from "../util/version.ts";
import { lockForWriting } from "../util/writer-lock.ts";
import type { TrainResult } from "./metrics.ts";
import {
  type PairSource,
  type PreparedExamples,
  preparePairs,
  prepareSft,
  sampleExamples,
  type SftSource,
} from "./prepare.ts";
import { referenceLogprobs } from "./reference-cache.ts";
import {
  type Method,
  resolveDpo,
  type ResolvedSettings,
  resolveSettings,
  resolveSft,
} from "./resolve-settings.ts";
import { expectFolder, openRunFolder, RUN_FILES, type TrainManifest } from "./run-folder.ts";
import { runSteps } from "./run-steps.ts";
import type { DpoSettings, SftSettings, TrainRequest, TrainSettings } from "./settings.ts";

/**
 * Trains a checkpoint on preference pairs. Called again after an interruption it goes on from the last state and ends in the same
 * bytes; called again after its end it returns the result at once. Throws ConfigError where `out` holds another run or a run with
 * other settings (naming the difference), RuntimeError where the loss is not finite, naming step and pairs.
 */
export async function trainDpo(
  pairs: PairSource,
  settings: DpoSettings,
  request: TrainRequest,
): Promise<TrainResult> {
  return train(resolveDpo(settings), settings, request, {
    files: filesOf(pairs),
    shape: "shape" in pairs && typeof pairs.shape === "string" ? pairs.shape : undefined,
    prepare: (trainer, prepareSettings) => preparePairs(trainer, pairs, prepareSettings),
  });
}

/** Trains a checkpoint on responses or on plain text; otherwise as trainDpo. */
export async function trainSft(
  examples: SftSource,
  settings: SftSettings,
  request: TrainRequest,
): Promise<TrainResult> {
  const method = resolveSft(settings);
  return train(method, settings, request, {
    files: filesOf(examples),
    prepare: (trainer, prepareSettings) =>
      prepareSft(trainer, examples, { ...prepareSettings, lossOn: method.lossOn }),
  });
}

interface TrainData {
  /** Of preference pairs from files. */
  readonly shape?: string | undefined;
  readonly files: readonly DataFile[];
  prepare(
    trainer: Trainer,
    settings: { maxTokens: number; signal: AbortSignal | undefined },
  ): Promise<PreparedExamples>;
}

async function train(
  method: Method,
  given: TrainSettings,
  request: TrainRequest,
  data: TrainData,
): Promise<TrainResult> {
  const { out, signal } = request;
  // Before the checkpoint is loaded.
  expectWritable(out);
  expectFolder(out);
  const resolved = resolveSettings(given);
  const objective = method.kind === "dpo" ? method : ({ kind: "sft" } as const);
  await using trainer = await (request.host ?? localHost).openTrainer(
    request.checkpoint,
    { ...resolved, objective },
    request.engine,
  );
  const maxTokens = limitTokens(given.maxTokens, { ...trainer.identity, name: "the checkpoint" });
  const settings = { ...resolved, maxTokens };
  const all = await data.prepare(trainer, { maxTokens, signal });
  if (all.ids.length === 0) throw noExample(all);
  const prepared =
    request.sample === undefined ? all : sampleExamples(all, request.sample, settings.seed);
  const cutOff = prepared.unusable.filter(({ reason }) => reason === "cut-off").length;
  const told = [
    ...describeCutOff({ byReason: { "cut-off": cutOff } }),
    ...describeMarks(prepared.marked, prepared.ids.length),
    ...describeHidden(prepared.hidden, prepared.ids.length),
    ...describeLostMarks(data.shape, request.engine?.template ?? "chat"),
  ];
  for (const line of told) request.progress?.note(line);
  const manifest = describeRun(trainer, { method, settings, request, prepared, files: data.files });
  await makeFolder(out);
  await using _lock = await lockForWriting(out, "this training run");
  const finished = await openRunFolder(out, manifest, request);
  if (finished !== null) return finished;
  await writeUnusable(join(out, RUN_FILES.unusable), prepared.unusable);
  const startMs = performance.now();
  const references =
    method.kind === "dpo" ? await findReferences(trainer, prepared, request) : undefined;
  return await runSteps(trainer, manifest, { prepared, references, request, startMs });
}

async function findReferences(
  trainer: Trainer,
  { examples }: PreparedExamples,
  { out, referenceCache, signal, progress }: TrainRequest,
): Promise<readonly (readonly number[])[]> {
  const directory = referenceCache ?? join(out, RUN_FILES.referenceCache);
  progress?.note("reference log-probabilities");
  return referenceLogprobs(trainer, examples, directory, signal === undefined ? {} : { signal });
}

function describeRun(
  trainer: Trainer,
  run: {
    readonly method: Method;
    readonly settings: ResolvedSettings;
    readonly request: TrainRequest;
    readonly prepared: PreparedExamples;
    readonly files: readonly DataFile[];
  },
): TrainManifest {
  const { name, checkpointHash, tokenizerHash, templateHash, family } = trainer.identity;
  const { device, threads, batchTokens } = run.request.engine ?? {};
  return {
    format: "culprit-training",
    version: 1,
    method: run.method,
    settings: run.settings,
    dtype: run.request.dtype ?? "F32",
    start: {
      name,
      checkpointHash,
      tokenizerHash,
      templateHash,
      family,
      trainedNumbers: trainer.trainedNumbers,
    },
    data: {
      hash: run.prepared.hash,
      examples: run.prepared.ids.length,
      truncated: run.prepared.truncated,
      unusable: run.prepared.unusable.length,
      files: run.files.map(({ path, sha256 }) => ({ path, sha256 })),
    },
    execution: {
      device: device ?? null,
      threads: threads ?? null,
      batchTokens: batchTokens ?? null,
    },
    software: { name: "culprit", version: VERSION },
    result: null,
  };
}

function filesOf(source: PairSource | SftSource): readonly DataFile[] {
  return "files" in source ? source.files : [];
}

function noExample({ unusable }: PreparedExamples): ConfigError {
  const [first] = unusable;
  return new ConfigError(
    `training: expected at least one example that can be used, got none of ${unusable.length}`,
    first === undefined ? {} : { hint: `The first: ${first.reason}, ${first.detail}.` },
  );
}
