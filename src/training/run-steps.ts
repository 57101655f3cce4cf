/** @file The loop of a run: steps, metrics, states, checkpoints. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { StepExample, StepResult, Trainer } from "../engine/trainer.ts";
import { RuntimeError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import {
  finalMetrics,
  type MetricsFile,
  openMetrics,
  stepMetrics,
  type TrainResult,
} from "./metrics.ts";
import type { PreparedExamples } from "./prepare.ts";
import { warmupSteps } from "./resolve-settings.ts";
import {
  checkpointName,
  checkpointSteps,
  RUN_FILES,
  TRAIN_MANIFEST,
  type TrainManifest,
  writeCheckpoint,
} from "./run-folder.ts";
import type { TrainRequest } from "./settings.ts";
import { learningRateAt, planSteps, type StepPlan } from "./step-plan.ts";
import { readState, type TrainingProgress, writeState } from "./training-state.ts";

/** Writing states may take this share of the time. */
const STATE_SHARE = 0.01;
/** Pairs named in an error. */
const MAX_NAMED = 5;

interface Run {
  readonly prepared: PreparedExamples;
  /** By example; DPO only. */
  readonly references: readonly (readonly number[])[] | undefined;
  readonly request: TrainRequest;
  /** performance.now() at the start of this session. */
  readonly startMs: number;
}

/** Runs the steps that are left, writes the final checkpoint and completes the manifest. */
export async function runSteps(
  trainer: Trainer,
  manifest: TrainManifest,
  run: Run,
): Promise<TrainResult> {
  const { out } = run.request;
  const { settings } = manifest;
  const plan = planSteps(run.prepared.ids, settings);
  const metricsPath = join(out, RUN_FILES.metrics);
  const start = (await readState(out, trainer)) ?? NO_PROGRESS;
  const earlier = start.seconds;
  const seconds = (): number => earlier + (performance.now() - run.startMs) / 1000;
  let done: TrainingProgress;
  {
    await using metrics = await openMetrics(metricsPath, start.metricsBytes);
    done = await takeSteps(trainer, manifest, { ...run, plan, metrics, start, seconds });
    await metrics.sync();
  }
  await trainer.save(out, manifest.dtype);
  const result: TrainResult = {
    checkpoint: out,
    weightsHash: await hashFile(join(out, weightsName(manifest))),
    steps: plan.steps,
    examples: manifest.data.examples,
    unusable: manifest.data.unusable,
    seconds: seconds(),
    tokens: done.tokens,
    flops: done.flops,
    final: await finalMetrics(metricsPath),
  };
  await TRAIN_MANIFEST.write(join(out, TRAIN_MANIFEST.name), { ...manifest, result });
  await rm(join(out, RUN_FILES.state), { force: true });
  return result;
}

const NO_PROGRESS: TrainingProgress = { step: 0, metricsBytes: 0, tokens: 0, flops: 0, seconds: 0 };

function weightsName({ settings }: TrainManifest): string {
  return settings.adaptation.kind === "lora" ? "adapter_model.safetensors" : "model.safetensors";
}

interface Loop extends Run {
  readonly plan: StepPlan;
  readonly metrics: MetricsFile;
  readonly start: TrainingProgress;
  seconds(): number;
}

async function takeSteps(
  trainer: Trainer,
  manifest: TrainManifest,
  loop: Loop,
): Promise<TrainingProgress> {
  const { plan, metrics, start, request } = loop;
  const { progress, signal } = request;
  const timer = stateTimer(request.stateEvery);
  let { tokens, flops } = start;
  const reached = (step: number): TrainingProgress => ({
    step,
    metricsBytes: metrics.bytes,
    tokens,
    flops,
    seconds: loop.seconds(),
  });
  const keepState = async (step: number): Promise<void> => {
    await metrics.sync();
    await writeState(request.out, trainer, reached(step));
  };
  try {
    for (let step = start.step; step < plan.steps; step++) {
      if (signal?.aborted === true) {
        await keepState(step);
        signal.throwIfAborted();
      }
      progress?.update(step, plan.steps);
      const result = await takeStep(trainer, manifest, loop, step, keepState);
      tokens += result.tokens;
      flops += result.flops;
      const next = step + 1;
      await saveOnTheWay(trainer, manifest, request, { step: next, plan });
      if (next === plan.steps) break;
      await timer(next, () => keepState(next));
    }
    progress?.update(plan.steps, plan.steps);
  } finally {
    progress?.end();
  }
  return reached(plan.steps);
}

async function takeStep(
  trainer: Trainer,
  { method, settings }: TrainManifest,
  { plan, prepared, references, metrics }: Loop,
  step: number,
  keepState: (step: number) => Promise<void>,
): Promise<StepResult> {
  const indices = plan.examplesOf(step);
  const examples = indices.map((i): StepExample => {
    const example = prepared.examples[i]!; // the plan is over these examples
    return references === undefined ? example : { ...example, reference: references[i]! };
  });
  const learningRate = learningRateAt(step, {
    ...settings,
    warmupSteps: warmupSteps(settings, plan.steps),
    steps: plan.steps,
  });
  const result = await trainer.step(examples, learningRate);
  if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) {
    await keepState(step);
    throw notFinite(
      step + 1,
      result,
      indices.map((i) => prepared.ids[i]!),
    );
  }
  await metrics.append(step + 1, {
    ...stepMetrics(method, examples, result),
    learningRate,
    epoch: step / plan.stepsPerEpoch,
  });
  return result;
}

/** Calls `write` as often as the user says, or so that it takes its share of the time. */
function stateTimer(
  every: number | undefined,
): (step: number, write: () => Promise<void>) => Promise<void> {
  // The first one comes after as long as writing is taken to last at most.
  let lastMs = performance.now();
  let waitMs = 2000;
  return async (step, write) => {
    const now = performance.now();
    if (every === undefined ? now - lastMs < waitMs : step % every !== 0) return;
    await write();
    lastMs = performance.now();
    waitMs = (lastMs - now) / STATE_SHARE;
  };
}

async function saveOnTheWay(
  trainer: Trainer,
  { dtype }: TrainManifest,
  { out, saveEvery, keep, keepStates = false }: TrainRequest,
  { step, plan }: { readonly step: number; readonly plan: StepPlan },
): Promise<void> {
  const every = saveEvery ?? (keepStates ? plan.stepsPerEpoch : undefined);
  const isDue = every !== undefined && step % every === 0;
  // The last checkpoint is the run's own, without a state.
  if (step === plan.steps ? !keepStates : !isDue) return;
  await writeCheckpoint(out, step, async (dir) => {
    await trainer.save(dir, dtype);
    if (keepStates) await trainer.saveState(dir, {});
  });
  if (keep === undefined) return;
  const steps = (await checkpointSteps(out)).filter((each) => each <= step);
  for (const old of steps.slice(0, Math.max(0, steps.length - keep))) {
    await rm(join(out, checkpointName(old)), { recursive: true });
  }
}

/** Names the pairs whose log-probabilities are not finite, or else those of the step. */
function notFinite(step: number, result: StepResult, ids: readonly string[]): RuntimeError {
  const bad = ids.filter((_, i) => !result.logprobs[i]!.every(Number.isFinite));
  const [whose, listed] =
    bad.length > 0 ? ["log-probabilities are not, of", bad] : ["its examples are", ids];
  const named = listed.slice(0, MAX_NAMED).map((id) => JSON.stringify(id));
  const what = Number.isFinite(result.loss) ? "the gradient" : "the loss";
  return new RuntimeError(
    `step ${step}: ${what} is not finite; ${whose} ${named.join(", ")}${listed.length > MAX_NAMED ? ", …" : ""}`,
    {
      hint: "Lower the learning rate, or the norm that gradients are shortened to. The state before this step is kept.",
    },
  );
}
