/** @file Fills the inputs of the training graph for the batches of one step. */
import type { TensorValue } from "../runtime/ort.ts";
import { batchInputs, type BatchSettings } from "./batch-inputs.ts";
import type { PlannedBatch } from "./plan-batches.ts";
import { batchResponses, pairInputs, responseInputs, tokenWeights } from "./response-inputs.ts";
import type { Objective, StepExample } from "./trainer.ts";

/** Inputs of a batch by name; the weights of its examples are those of the whole step, so that losses and gradients add up. */
export function stepInputs(
  examples: readonly StepExample[],
  objective: Objective,
  settings: BatchSettings,
): (batch: PlannedBatch) => Record<string, TensorValue> {
  const targets = countTargets(examples);
  return (batch) => {
    const responses = batchResponses(examples, batch);
    return {
      ...batchInputs(examples, batch, settings),
      ...responseInputs(examples, batch),
      ...(objective.kind === "dpo"
        ? pairInputs(responses, (example) => ({
            reference: examples[example]!.reference!, // DPO examples have one
            weight: 1 / examples.length,
          }))
        : tokenWeights(responses, 1 / targets)),
    };
  };
}

/** Response tokens over all examples; each has a log-probability, since prompts have tokens. */
function countTargets(examples: readonly StepExample[]): number {
  return examples.reduce(
    (sum, { responses }) => sum + responses.reduce((all, { length }) => all + length, 0),
    0,
  );
}
