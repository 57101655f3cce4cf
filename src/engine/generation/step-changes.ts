/**
 * @file Changes of the step graph while it samples. What is added or weighed are inputs of the graph, so that a graph compiled once
 * serves every layer, direction, strength and α of its kind.
 *
 * Shapes: B rows, D residual width, V vocabulary, n blocks.
 */
import type { DecodeHooks } from "../../model/decode-step.ts";
import type { ModelConfig } from "../../model/model-config.ts";
import type { TensorValue } from "../../runtime/ort.ts";
import { input, type Tensor } from "../../tensor/graph.ts";
import { add, multiply, subtract } from "../../tensor/ops/arithmetic.ts";
import { matMul } from "../../tensor/ops/mat-mul.ts";
import { type Steering, steeredDirections } from "./steering.ts";

/** Ops added to the step graph, and values of the inputs that they take. */
export interface StepChange {
  /** Which ops; changes with one key share a graph. */
  readonly key: string;
  readonly hooks: DecodeHooks;
  readonly inputs: Readonly<Record<string, TensorValue>>;
}

/** The input of an amplified graph that is given anew at each step: the other model's logits [B, V]. */
export const BEFORE_LOGITS = "amplify.before";

/**
 * Steering as inputs [1, D], one for each layer 0 … n: its vector at each steered one, zeros, which change nothing, at the others.
 * One graph for all layers: each graph may hold a copy of the weights.
 */
export function steeringChange(steering: Steering, { dim, layerCount }: ModelConfig): StepChange {
  const name = (layer: number): string => `steering.${layer}`;
  const vector = (layer: number): Tensor => input(name(layer), "float32", [1, dim]);
  const zeros = row(new Float32Array(dim));
  const directions = steeredDirections(steering);
  const valueAt = (layer: number): TensorValue => {
    const direction = directions.get(layer);
    return direction === undefined ? zeros : row(vectorOf(steering, direction));
  };
  const inputs = Object.fromEntries(
    Array.from({ length: layerCount + 1 }, (_, layer) => [name(layer), valueAt(layer)]),
  );
  const apply = steering.kind === "add" ? add : projectOut;
  return {
    key: steering.kind,
    hooks: { residual: (x, layer) => apply(x, vector(layer)) },
    inputs,
  };
}

/**
 * logits + α(logits − before), as (1 + α)·logits − α·before: exactly `logits` at α = 0 and exactly `before` at α = −1. A run of the
 * graph needs BEFORE_LOGITS besides `inputs`.
 */
export function amplifyingChange(alpha: number, { vocabSize }: ModelConfig): StepChange {
  const weight = (name: string): Tensor => input(name, "float32", [1]);
  return {
    key: "amplified",
    hooks: {
      logits: (logits) =>
        subtract(
          multiply(logits, weight("amplify.ownWeight")),
          multiply(
            input(BEFORE_LOGITS, "float32", ["B", vocabSize]),
            weight("amplify.beforeWeight"),
          ),
        ),
    },
    inputs: {
      "amplify.ownWeight": number(1 + alpha),
      "amplify.beforeWeight": number(alpha),
    },
  };
}

/** Several changes, of different hooks, as one. */
export function joinChanges(changes: readonly StepChange[]): StepChange {
  return changes.reduce(
    (joined, { key, hooks, inputs }) => ({
      key: joined.key === "" ? key : `${joined.key}, ${key}`,
      hooks: { ...joined.hooks, ...hooks },
      inputs: { ...joined.inputs, ...inputs },
    }),
    { key: "", hooks: {}, inputs: {} },
  );
}

/** x − (x·v)v for x [B, 1, D] and a unit (or zero) vector v [1, D]. */
function projectOut(x: Tensor, unit: Tensor): Tensor {
  const along = matMul(x, unit, { transposeB: true }); // [B, 1, 1]
  return subtract(x, multiply(along, unit));
}

/** What is added at each steered layer, or the vector of length 1 that is projected out; [D] each. */
export function steeringVectors(steering: Steering): ReadonlyMap<number, Float32Array> {
  return new Map(
    [...steeredDirections(steering)].map(([layer, each]) => [layer, vectorOf(steering, each)]),
  );
}

function vectorOf(steering: Steering, direction: Float32Array): Float32Array {
  if (steering.kind === "add") return direction.map((value) => steering.strength * value);
  const norm = Math.hypot(...direction);
  return direction.map((value) => value / norm);
}

const row = (array: Float32Array): TensorValue => ({
  dtype: "float32",
  shape: [1, array.length],
  array,
});

const number = (value: number): TensorValue => ({
  dtype: "float32",
  shape: [1],
  array: Float32Array.of(value),
});
