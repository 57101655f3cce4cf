import { join } from "node:path";

import { newGenerationCounter } from "../../engine/generation/generate-options.ts";
import { openEngine } from "../../engine/local-host.ts";
import { generateRollouts } from "../../rollouts/generate-rollouts.ts";
import { rolloutManifestPath } from "../../rollouts/rollout-manifest.ts";
import { readRollouts, type Rollout } from "../../rollouts/rollouts.ts";
import { scenarioPrompts } from "../../rollouts/scenarios.ts";
import { engineOptions } from "../checkpoint-input.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { LocalModel, Model } from "../models.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage, StageWork } from "../stage.ts";
import { ROLLOUTS_NAME, type RolloutKind, whatToSample } from "./planned-rollouts.ts";
import { endpointRolloutsStage } from "./rollouts-endpoint.ts";

/** Responses of a checkpoint to every scenario in every variant. */
export function rolloutsStage(
  kind: RolloutKind,
  model: Model,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage {
  const of = { kind, experiment, inputs };
  if (model.kind === "endpoint") return endpointRolloutsStage(model, of);
  const { sampling, checkpoints, engine } = experiment;
  const { endpoints: _, ...settings } = sampling;
  const { scenarios, variants, rollouts } = whatToSample(of);
  const amplify = amplification(kind, model, experiment);
  return {
    kind,
    name: model.name,
    version: 6,
    settings: {
      ...settings,
      rollouts,
      variants,
      template: checkpoints.template,
      engine,
      amplify,
    },
    inputs: {
      model: model.input,
      scenarios: { content: scenarios.sha256 },
      ...(amplify === undefined ? {} : { before: { content: inputs.before.hash } }),
    },
    // Says of which checkpoint they are: the same responses of another one are judged alike.
    asides: [rolloutManifestPath(ROLLOUTS_NAME)],
    canResume: true,
    run: async (work) => {
      const skipped = "stage" in model.input ? await readSkipped(work.input("model")) : undefined;
      if (skipped !== undefined) return writeSkipped(work.directory, skipped);
      await sampleLocally(model, work, { ...of, amplify });
    },
  };
}

/** Model-diff amplification is of the checkpoint after, and of the probe's rollouts: to find, not to measure. */
function amplification(
  kind: RolloutKind,
  { name }: LocalModel,
  { probe }: Experiment,
): number | undefined {
  return kind === "rollouts" && name === "after" ? probe?.amplify : undefined;
}

async function sampleLocally(
  model: LocalModel,
  work: StageWork,
  of: Parameters<typeof whatToSample>[0] & { readonly amplify: number | undefined },
): Promise<void> {
  const { experiment, inputs, amplify } = of;
  const { scenarios, variants, rollouts } = whatToSample(of);
  const { topK, endpoints: _, ...given } = experiment.sampling;
  await using opened = await model.open(work, "model");
  await using before =
    amplify === undefined
      ? undefined
      : await openEngine(inputs.before.folder, engineOptions(experiment, "before"));
  const counter = newGenerationCounter();
  work.cost.watchSampling(counter);
  await generateRollouts(opened, scenarioPrompts(scenarios, variants), {
    ...given,
    topK,
    ...(before === undefined || amplify === undefined
      ? {}
      : { amplify: { before, alpha: amplify } }),
    samples: rollouts,
    counter,
    out: join(work.directory, ROLLOUTS_NAME),
    progress: work.progress("responses"),
    signal: work.signal,
  });
}

/** The rollouts of a finished stage. */
export function readStageRollouts(directory: string): AsyncIterable<Rollout> {
  return readRollouts(join(directory, ROLLOUTS_NAME));
}
