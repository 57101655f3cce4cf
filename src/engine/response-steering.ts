import type { ModelConfig } from "../model/model-config.ts";
/**
 * @file Steering of responses that are given instead of sampled: the residual stream changes at each token that a response token is
 * predicted from, as it does while sampling.
 *
 * Shapes: B rows, T tokens a row.
 */
import type { StreamOptions } from "../model/pooled-activations.ts";
import type { TensorValue } from "../runtime/ort.ts";
import { constant, input } from "../tensor/graph.ts";
import { equal } from "../tensor/ops/comparison.ts";
import { where } from "../tensor/ops/where.ts";
import type { TokenizedExample } from "./engine.ts";
import { type Steering } from "./generation/steering.ts";
import { steeringChange } from "./generation/step-changes.ts";
import type { PlannedBatch } from "./plan-batches.ts";

/** How a graph of whole rows is steered. */
export interface ResponseSteering {
  /** Of the graph: steerings of one kind share it. */
  readonly key: string;
  readonly residual: NonNullable<StreamOptions["residual"]>;
  /** Inputs beside those of the graph without it. */
  inputs(
    examples: readonly TokenizedExample[],
    batch: PlannedBatch,
  ): Readonly<Record<string, TensorValue>>;
}

export function steerResponses(steering: Steering, config: ModelConfig): ResponseSteering {
  const { key, hooks, inputs } = steeringChange(steering, config);
  const isSteered = equal(input("steered", "int32", ["B", "T", 1]), constant("int32", [1], [1]));
  return {
    key,
    residual: (x, layer) => where(isSteered, hooks.residual!(x, layer), x), // steeringChange has one
    inputs: (examples, batch) => ({ ...inputs, steered: steeredTokens(examples, batch) }),
  };
}

/** 1 from the last token of a row's prompt on, [B, T, 1]; what stands there in padding is read by nothing. */
function steeredTokens(examples: readonly TokenizedExample[], batch: PlannedBatch): TensorValue {
  const width = Math.max(...batch.map((row) => row.length));
  const array = new Int32Array(batch.length * width);
  for (const [r, { example }] of batch.entries()) {
    const first = Math.max(0, examples[example]!.prompt.length - 1); // planned from these examples
    array.fill(1, r * width + first, (r + 1) * width);
  }
  return { dtype: "int32", shape: [batch.length, width, 1], array };
}
