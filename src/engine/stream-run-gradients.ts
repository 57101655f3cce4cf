/**
 * @file Gradients along a training run, streamed over batches: at each saved state of the run, of what preference pairs would do in
 * training, or of responses; see features.ts. The programs of all states are there at once, over one copy of the weights that the run
 * does not train.
 */
import { projectionValues } from "../model/gradient-projection.ts";
import type { LoadedModel } from "../model/model-family.ts";
import type { PreferenceLossSettings } from "../model/preference-loss.ts";
import { responseGradients } from "../model/response-gradients.ts";
import type { TensorValue } from "../runtime/ort.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { batchInputs } from "./batch-inputs.ts";
import type { EmbeddedExample, EmbedOptions, ExampleLogprobs, TokenizedExample } from "./engine.ts";
import { featureDim, type RunFeatures, sketchSize } from "./features.ts";
import { type ReadVector, streamVectors } from "./finite-rows.ts";
import type { BuiltGraph, GraphProgram, GraphPrograms } from "./graph-programs.ts";
import { type PlannedBatch, planBatches, planWholeExamples } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import {
  type BatchResponse,
  batchResponses,
  pairInputs,
  responseInputs,
  slotInputs,
} from "./response-inputs.ts";
import { splitResponses } from "./split-responses.ts";
import { matcher } from "./stream-features.ts";
import { loraOf } from "./trainer-graph.ts";
import { type AlongRun, readState, type TrainingStates } from "./training-states.ts";

interface RunGradientOptions extends JobOptions, Pick<EmbedOptions, "onNotFinite"> {
  readonly along: AlongRun;
  /** Steps of states, in the order in which they are given back, each once. */
  readonly layers: readonly number[];
  readonly batchTokens: number;
  /** Log-probabilities under the checkpoint that the run started from. */
  readonly startLogprobs: (examples: readonly TokenizedExample[]) => AsyncIterable<ExampleLogprobs>;
}

/** See Engine.embed. */
export async function* streamRunGradients(
  programs: GraphPrograms,
  model: LoadedModel,
  examples: readonly TokenizedExample[],
  features: RunFeatures,
  options: RunGradientOptions,
): AsyncGenerator<EmbeddedExample> {
  const {
    along: { run, reads },
    layers,
  } = options;
  const states: GraphProgram[] = [];
  for (const step of layers) {
    const key = `${JSON.stringify(features)} ${reads} ${step}`;
    states.push(
      await programs.program(key, await graphAtState(model, features, { run, reads, step })),
    );
  }
  yield* reads === "pairs"
    ? streamPairs(states, model, examples, features, options)
    : streamResponses(states, model, examples, features, options);
}

async function graphAtState(
  model: LoadedModel,
  features: RunFeatures,
  { run, reads, step }: AlongRun & { readonly step: number },
): Promise<() => BuiltGraph> {
  const state = run.states.find((each) => each.step === step);
  if (state === undefined) throw new Error(`internal: the run has no state of step ${step}`);
  const own = await readState(state);
  return () => {
    const { outputs, projections, frequencyInputs } = responseGradients(model, {
      sketch: sketchSize(features),
      isTrained: matcher(features.parameters),
      lora: loraOf(run.settings.adaptation),
      ...(reads === "pairs"
        ? {
            pairs: {
              loss: lossOf(run),
              adam: features.kind === "less" ? run.settings : undefined,
            },
          }
        : {}),
    });
    const values = projections.map(
      (each) => [each.name, () => projectionValues(each, features)] as const,
    );
    return {
      outputs: { sketch: outputs["sketch"]! },
      frequencyInputs,
      made: new Map(values),
      own,
    };
  };
}

function lossOf({ settings: { objective } }: TrainingStates): PreferenceLossSettings {
  if (objective.kind === "dpo") return objective;
  throw new ConfigError("gradients along a training run: expected a run of DPO, got one of SFT");
}

/** Pairs whose responses are chosen and rejected. */
async function* streamPairs(
  states: readonly GraphProgram[],
  { config }: LoadedModel,
  examples: readonly TokenizedExample[],
  features: RunFeatures,
  options: RunGradientOptions,
): AsyncGenerator<EmbeddedExample> {
  const { layers, batchTokens, startLogprobs } = options;
  const dim = featureDim(config, features);
  const references = await readReferences(examples, startLogprobs);
  const none = new Float32Array(layers.length * dim);
  const limits = planLimits(config, config.layerCount, { batchTokens });
  const read = async (batch: PlannedBatch): Promise<ReadVector[]> => {
    const responses = batchResponses(examples, batch);
    const pairs = [...new Set(batch.map(({ example }) => example))];
    const inputs = {
      ...responseInputs(examples, batch),
      ...slotInputs(rowsOf(batch, responses), { isMean: false }),
      ...pairInputs(responses, (example) => ({ reference: references.get(example)!, weight: 1 })), // of all examples
      pairRows: pairRows(batch, pairs),
    };
    const places = pairs.map((example) => ({ example, response: 0 }));
    const found = await atStates(states, places, dim, ({ frequencyInputs }) => ({
      ...batchInputs(examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...inputs,
    }));
    // Down the loss.
    return found.flatMap(({ example, response, vector }) => [
      { example, response, vector: vector.map((value) => -value) },
      { example, response: 1, vector: none },
    ]);
  };
  yield* streamVectors(examples, planWholeExamples(examples, limits), read, options);
}

/** By example; those that are not finite make gradients that are not. */
async function readReferences(
  examples: readonly TokenizedExample[],
  startLogprobs: RunGradientOptions["startLogprobs"],
): Promise<ReadonlyMap<number, readonly number[]>> {
  const found = new Map<number, readonly number[]>();
  const read = async (indices: readonly number[]): Promise<void> => {
    try {
      const asked = indices.map((i) => examples[i]!); // indices of these
      for await (const { index, logprobs } of startLogprobs(asked)) {
        found.set(indices[index]!, logprobs);
      }
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      if (indices.length === 1) found.set(indices[0]!, [Number.NaN, Number.NaN]);
      else for (const index of indices) await read([index]);
    }
  };
  await read([...examples.keys()]);
  return found;
}

async function* streamResponses(
  states: readonly GraphProgram[],
  { config }: LoadedModel,
  examples: readonly TokenizedExample[],
  features: RunFeatures,
  options: RunGradientOptions,
): AsyncGenerator<EmbeddedExample> {
  const dim = featureDim(config, features);
  const rows = splitResponses(examples);
  const limits = planLimits(config, config.layerCount, options);
  const read = (batch: PlannedBatch): Promise<ReadVector[]> => {
    const responses = batchResponses(rows.examples, batch);
    const inputs = {
      ...responseInputs(rows.examples, batch),
      ...slotInputs(responses, { isMean: false }),
    };
    const places = responses.map((row) => rows.placeOf(row.example, row.response));
    return atStates(states, places, dim, ({ frequencyInputs }) => ({
      ...batchInputs(rows.examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...inputs,
    }));
  };
  yield* streamVectors(examples, planBatches(rows.examples, limits), read, options);
}

/** The sketches of a batch at all states, one behind the other for each place. */
async function atStates(
  states: readonly GraphProgram[],
  places: readonly Omit<ReadVector, "vector">[],
  dim: number,
  inputsOf: (state: GraphProgram) => Record<string, TensorValue>,
): Promise<ReadVector[]> {
  const found = places.map((place) => ({
    ...place,
    vector: new Float32Array(states.length * dim),
  }));
  for (const [s, state] of states.entries()) {
    const { sketch } = await state.program.run(inputsOf(state));
    const array = sketch!.array as Float32Array; // the graph's output
    for (const [row, { vector }] of found.entries()) {
      vector.set(array.subarray(row * dim, (row + 1) * dim), s * dim);
    }
  }
  return found;
}

/** All response tokens of a row as one. */
function rowsOf(batch: PlannedBatch, responses: readonly BatchResponse[]): BatchResponse[] {
  let at = 0;
  return batch.map((row) => {
    const own = responses.slice(at, at + row.responses.length);
    at += own.length;
    const tokenCount = own.reduce((sum, each) => sum + each.tokenCount, 0);
    return { ...own[0]!, tokenCount }; // a row has a response
  });
}

/** [P, B]; `pairs` in the order of their first rows. */
function pairRows(batch: PlannedBatch, pairs: readonly number[]): TensorValue {
  const array = new Float32Array(pairs.length * batch.length);
  for (const [b, { example }] of batch.entries())
    array[pairs.indexOf(example) * batch.length + b] = 1;
  return { dtype: "float32", shape: [pairs.length, batch.length], array };
}
