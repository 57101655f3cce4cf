import { join } from "node:path";

import { generateRollouts } from "../../data/generate-rollouts.ts";
import { readRollouts, type Rollout, rolloutId, rolloutManifestPath } from "../../data/rollouts.ts";
import { scenarioPrompts } from "../../data/scenarios.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Model } from "../models.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage } from "../stage.ts";

export const ROLLOUTS_NAME = "rollouts.jsonl";

/** Responses of a checkpoint to every scenario in every variant. */
export function rolloutsStage(
  kind: "rollouts" | "evaluation-rollouts",
  model: Model,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage {
  const { sampling, checkpoints, engine } = experiment;
  const { scenarios, variants, rollouts } = whatToSample(kind, experiment, inputs);
  const { topK, ...given } = sampling;
  return {
    kind,
    name: model.name,
    version: 3,
    settings: { ...sampling, rollouts, variants, template: checkpoints.template, engine },
    inputs: { model: model.input, scenarios: { content: scenarios.sha256 } },
    // Says of which checkpoint they are: the same responses of another one are judged alike.
    asides: [rolloutManifestPath(ROLLOUTS_NAME)],
    canResume: true,
    run: async (work) => {
      const skipped = "stage" in model.input ? await readSkipped(work.input("model")) : undefined;
      if (skipped !== undefined) return writeSkipped(work.directory, skipped);
      await using opened = await model.open(work, "model");
      const { work: done } = await generateRollouts(opened, scenarioPrompts(scenarios, variants), {
        ...given,
        ...(topK === undefined ? {} : { topK }),
        samples: rollouts,
        out: join(work.directory, ROLLOUTS_NAME),
        progress: work.progress("responses"),
        ...(work.signal === undefined ? {} : { signal: work.signal }),
      });
      const tokens = done.promptTokens + done.sampledTokens;
      work.cost.add(tokens, tokens === 0 ? 0 : done.flops / tokens);
    },
  };
}

/** Whose rollouts a stage samples. */
export interface PlannedRolloutsOf {
  readonly rolloutsKind: "rollouts" | "evaluation-rollouts";
  readonly experiment: Experiment;
  readonly inputs: ExperimentInputs;
}

/** Bytes of a token at most, nearly: estimates are rather too high. */
const BYTES_PER_TOKEN = 4;

/** The rollouts that a stage will sample, each with a response of the greatest length and no meaning; for estimates. */
export function* plannedRollouts(of: PlannedRolloutsOf): Generator<Omit<Rollout, "finish">> {
  const { scenarios, variants, rollouts } = whatToSample(of.rolloutsKind, of.experiment, of.inputs);
  const tokens = of.experiment.sampling.maxTokens;
  for (const prompt of scenarioPrompts(scenarios, variants)) {
    for (let sample = 0; sample < rollouts; sample++) {
      const response = `${sample} `.padEnd(tokens * BYTES_PER_TOKEN, "text ");
      yield { ...prompt, id: rolloutId(prompt, sample), sample, response, tokens };
    }
  }
}

function whatToSample(
  kind: "rollouts" | "evaluation-rollouts",
  { probe, evaluation }: Experiment,
  inputs: ExperimentInputs,
): {
  readonly scenarios: NonNullable<ExperimentInputs["probe"]>;
  readonly variants: readonly string[];
  readonly rollouts: number;
} {
  if (kind === "rollouts" && probe !== undefined && inputs.probe !== undefined) {
    const { plain, trigger, rollouts } = probe;
    return { scenarios: inputs.probe, variants: [plain, trigger], rollouts };
  }
  if (evaluation === undefined || inputs.evaluation === undefined) {
    throw new Error("internal: no scenarios to sample");
  }
  const { variants, rollouts } = evaluation;
  return { scenarios: inputs.evaluation, variants, rollouts };
}

/** The rollouts of a finished stage. */
export function readStageRollouts(directory: string): AsyncIterable<Rollout> {
  return readRollouts(join(directory, ROLLOUTS_NAME));
}
