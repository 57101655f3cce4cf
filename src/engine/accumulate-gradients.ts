/** @file The gradients of a step: the training graph run over the step's batches, its gradients summed. */
import type { ModelConfig } from "../model/model-config.ts";
import type { RopeScaling } from "../model/rope.ts";
import { gradientName } from "../model/training-graph.ts";
import type { Program, TensorValue } from "../runtime/ort.ts";
import type { ParameterSlot } from "./parameter-arena.ts";
import { planWholeExamples } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { batchResponses } from "./response-inputs.ts";
import { stepInputs } from "./step-inputs.ts";
import { batchWork } from "./train-flops.ts";
import type { StepExample, StepResult, TrainerSettings } from "./trainer.ts";

interface StepSettings {
  readonly config: ModelConfig;
  readonly settings: Pick<TrainerSettings, "objective" | "adaptation">;
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
  readonly trainedNumbers: number;
  readonly batchTokens: number;
}

/** Runs all batches of a step and leaves the sum of their gradients in the slots; what was there is gone. */
export async function accumulateGradients(
  program: Program,
  slots: readonly ParameterSlot[],
  examples: readonly StepExample[],
  { config, settings, frequencyInputs, trainedNumbers, batchTokens }: StepSettings,
): Promise<Omit<StepResult, "gradientNorm">> {
  const limits = planLimits(config, config.layerCount, { batchTokens });
  const { rotaryDim } = config;
  const inputsOf = stepInputs(examples, settings.objective, { frequencyInputs, rotaryDim });
  const isLora = settings.adaptation.kind === "lora";
  const logprobs = examples.map(({ responses }) => responses.map(() => Number.NaN));
  let [loss, tokens, flops] = [0, 0, 0];
  for (const [b, batch] of planWholeExamples(examples, limits).entries()) {
    const outputs = await program.run(inputsOf(batch));
    loss += outputs["loss"]!.array[0] as number; // float32
    addGradients(slots, outputs, b === 0);
    const sums = outputs["logprobs"]!.array as Float32Array;
    for (const [r, { example, response }] of batchResponses(examples, batch).entries()) {
      logprobs[example]![response] = sums[r]!;
    }
    const work = batchWork(config, examples, batch, { isLora, trainedNumbers });
    tokens += work.tokens;
    flops += work.flops;
  }
  return { loss, logprobs, tokens, flops };
}

function addGradients(
  slots: readonly ParameterSlot[],
  outputs: Readonly<Record<string, TensorValue>>,
  isFirst: boolean,
): void {
  for (const { name, gradient } of slots) {
    const share = outputs[gradientName(name)]!.array as Float32Array; // the graph gives one for each
    if (isFirst) gradient.set(share);
    else for (let i = 0; i < gradient.length; i++) gradient[i]! += share[i]!;
  }
}
