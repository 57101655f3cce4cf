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
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { ActivationError } from "./activation-error.ts";
import { batchInputs } from "./batch-inputs.ts";
import type { EmbeddedExample, ExampleLogprobs, TokenizedExample } from "./engine.ts";
import { featureDim, type RunFeatures, sketchSize } from "./features.ts";
import type { BuiltGraph, GraphProgram, GraphPrograms } from "./graph-programs.ts";
import { type PlannedBatch, planBatches, planWholeExamples } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { ResponseCollector } from "./response-collector.ts";
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

interface RunGradientOptions extends JobOptions {
  readonly along: AlongRun;
  /** Steps of states, in the order in which they are given back, each once. */
  readonly layers: readonly number[];
  readonly batchTokens: number;
  /** Log-probabilities under the checkpoint that the run started from. */
  readonly startLogprobs: (examples: readonly TokenizedExample[]) => AsyncIterable<ExampleLogprobs>;
}

/** See Engine.embed. Throws ActivationError where a number is not finite. */
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
  { layers, batchTokens, startLogprobs, signal, progress }: RunGradientOptions,
): AsyncGenerator<EmbeddedExample> {
  const dim = featureDim(config, features);
  const references = new Map<number, readonly number[]>();
  for await (const { index, logprobs } of startLogprobs(examples)) references.set(index, logprobs);
  const none = new Float32Array(layers.length * dim);
  const limits = planLimits(config, config.layerCount, { batchTokens });
  let finished = 0;
  for (const batch of planWholeExamples(examples, limits)) {
    signal?.throwIfAborted();
    const responses = batchResponses(examples, batch);
    const inputs = {
      ...responseInputs(examples, batch),
      ...slotInputs(rowsOf(batch, responses), { isMean: false }),
      ...pairInputs(responses, (example) => ({ reference: references.get(example)!, weight: 1 })), // of all examples
      pairRows: pairRows(batch),
    };
    const pairs = [...new Set(batch.map(({ example }) => example))];
    const vectors = pairs.map(() => new Float32Array(layers.length * dim));
    for (const [l, { program, frequencyInputs }] of states.entries()) {
      const settings = { frequencyInputs, rotaryDim: config.rotaryDim };
      const { sketch } = await program.run({
        ...batchInputs(examples, batch, settings),
        ...inputs,
      });
      for (const [p, example] of pairs.entries()) {
        const step = rowOf(sketch!, p, dim, { layer: layers[l]!, example }); // the graph's output
        const into = vectors[p]!.subarray(l * dim, (l + 1) * dim);
        for (let i = 0; i < dim; i++) into[i] = -step[i]!; // down the loss
      }
    }
    for (const [p, example] of pairs.entries()) {
      yield { index: example, means: [vectors[p]!, none] };
    }
    finished += pairs.length;
    progress?.update(finished, examples.length);
  }
}

async function* streamResponses(
  states: readonly GraphProgram[],
  { config }: LoadedModel,
  examples: readonly TokenizedExample[],
  features: RunFeatures,
  { layers, batchTokens, signal, progress }: RunGradientOptions,
): AsyncGenerator<EmbeddedExample> {
  const dim = featureDim(config, features);
  const rows = splitResponses(examples);
  const collector = new ResponseCollector<Float32Array>(examples);
  const limits = planLimits(config, config.layerCount, { batchTokens });
  let finished = 0;
  for (const batch of planBatches(rows.examples, limits)) {
    signal?.throwIfAborted();
    const responses = batchResponses(rows.examples, batch);
    const inputs = {
      ...responseInputs(rows.examples, batch),
      ...slotInputs(responses, { isMean: false }),
    };
    const vectors = responses.map(() => new Float32Array(layers.length * dim));
    for (const [l, { program, frequencyInputs }] of states.entries()) {
      const settings = { frequencyInputs, rotaryDim: config.rotaryDim };
      const outputs = await program.run({
        ...batchInputs(rows.examples, batch, settings),
        ...inputs,
      });
      for (const [r, row] of responses.entries()) {
        const { example } = rows.placeOf(row.example, row.response);
        const gradient = rowOf(outputs["sketch"]!, r, dim, { layer: layers[l]!, example }); // the graph's output
        vectors[r]!.set(gradient, l * dim);
      }
    }
    for (const [r, row] of responses.entries()) {
      const { example, response } = rows.placeOf(row.example, row.response);
      const means = collector.add(example, response, vectors[r]!);
      if (means === undefined) continue;
      finished++;
      yield { index: example, means };
    }
    progress?.update(finished, examples.length);
  }
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

/** [P, B], pairs in the order of their first rows. */
function pairRows(batch: PlannedBatch): TensorValue {
  const pairs = [...new Set(batch.map(({ example }) => example))];
  const array = new Float32Array(pairs.length * batch.length);
  for (const [b, { example }] of batch.entries())
    array[pairs.indexOf(example) * batch.length + b] = 1;
  return { dtype: "float32", shape: [pairs.length, batch.length], array };
}

/** Throws ActivationError where a number is not finite. */
function rowOf(
  { array }: TensorValue,
  row: number,
  dim: number,
  { layer, example }: { readonly layer: number; readonly example: number },
): Float32Array {
  const values = array.subarray(row * dim, (row + 1) * dim) as Float32Array; // float32
  if (!values.every(Number.isFinite)) throw new ActivationError(layer, example);
  return values;
}
