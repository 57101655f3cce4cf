import { join } from "node:path";

import type { PromptedRollout } from "../../behavior/rollout-pairs.ts";
import { readRows } from "../../data/readers/read-rows.ts";
import { type ScenarioPrompt, scenarioPrompts } from "../../data/scenarios.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  type GenerateOptions,
  newGenerationCounter,
} from "../../engine/generation/generate-options.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import type { Model } from "../models.ts";
import type { ExperimentInputs } from "../open-inputs.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage } from "../stage.ts";

const ROLLOUTS_NAME = "rollouts.jsonl";

/** Responses of a checkpoint to every scenario in every variant. */
export function rolloutsStage(
  kind: "rollouts" | "evaluation-rollouts",
  model: Model,
  experiment: Experiment,
  inputs: ExperimentInputs,
): Stage {
  const { sampling, checkpoints, engine } = experiment;
  const { scenarios, variants, rollouts } = whatToSample(kind, experiment, inputs);
  const { batch: _batch, ...settings } = sampling;
  return {
    kind,
    name: model.name,
    version: 1,
    settings: { ...settings, rollouts, variants, template: checkpoints.template, engine },
    inputs: { model: model.input, scenarios: { content: scenarios.sha256 } },
    canResume: true,
    run: async (work) => {
      const skipped = "stage" in model.input ? await readSkipped(work.input("model")) : undefined;
      if (skipped !== undefined) return writeSkipped(work.directory, skipped);
      await using opened = await model.open(work, "model");
      const counter = newGenerationCounter();
      const rows = await sample(opened, scenarioPrompts(scenarios, variants), {
        ...sampling,
        topK: sampling.topK,
        samples: rollouts,
        counter,
        progress: work.progress("responses"),
        ...(work.signal === undefined ? {} : { signal: work.signal }),
      } as GenerateOptions);
      const tokens = counter.promptTokens + counter.sampledTokens;
      work.cost.add(tokens, tokens === 0 ? 0 : counter.flops / tokens);
      const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
      await writeFileAtomic(join(work.directory, ROLLOUTS_NAME), lines.join(""));
    },
  };
}

async function sample(
  engine: Engine,
  prompts: readonly ScenarioPrompt[],
  options: GenerateOptions,
): Promise<readonly PromptedRollout[]> {
  const samples = options.samples ?? 1;
  const rows: PromptedRollout[] = [];
  const tokens = prompts.map(({ prompt }) => engine.tokenizePrompt(prompt));
  for await (const done of engine.generate(tokens, options)) {
    const { scenario, variant, prompt } = prompts[done.prompt]!;
    const id = `${scenario}/${variant}/${done.sample}`;
    const response = engine.decode(done.tokens);
    const row = {
      id,
      scenario,
      variant,
      sample: done.sample,
      prompt,
      response,
      finish: done.finish,
      tokens: done.tokens.length,
    };
    rows[done.prompt * samples + done.sample] = row;
  }
  return rows;
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
export async function* readStageRollouts(directory: string): AsyncIterable<PromptedRollout> {
  for await (const row of readRows(join(directory, ROLLOUTS_NAME))) {
    if (row.kind === "broken") throw new Error("internal: broken rollout");
    yield row.fields as unknown as PromptedRollout;
  }
}
