/** @file Features of responses that need their log-probabilities, streamed over batches; see features.ts. */
import { projectionValues } from "../model/gradient-projection.ts";
import { influenceFeatures } from "../model/influence-features.ts";
import type { LoadedModel } from "../model/model-family.ts";
import { responseGradients } from "../model/response-gradients.ts";
import { DIRECTION } from "../model/training-graph.ts";
import type { TensorValue } from "../runtime/ort.ts";
import type { JobOptions } from "../util/progress.ts";
import { batchInputs } from "./batch-inputs.ts";
import type { EmbeddedExample, EmbedOptions, TokenizedExample } from "./engine.ts";
import { featureDim, type RunFeatures, type SketchedFeatures, sketchSize } from "./features.ts";
import { type ReadVector, streamVectors } from "./finite-rows.ts";
import type { BuiltGraph, GraphPrograms } from "./graph-programs.ts";
import { type PlannedBatch, planBatches } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { batchResponses, responseInputs, slotInputs } from "./response-inputs.ts";
import { splitResponses, wholeExamples } from "./split-responses.ts";

/** Features of the checkpoint as it is. */
type PlainFeatures = Exclude<SketchedFeatures, RunFeatures>;

/** Of the responses of a response pair. */
const AFTER = 1;

interface FeatureOptions extends JobOptions, Pick<EmbedOptions, "direction" | "onNotFinite"> {
  /** In the order in which they are given back, each once. */
  readonly layers: readonly number[];
  readonly batchTokens: number;
}

/** See Engine.embed. */
export async function* streamFeatures(
  programs: GraphPrograms,
  model: LoadedModel,
  examples: readonly TokenizedExample[],
  features: PlainFeatures,
  options: FeatureOptions,
): AsyncGenerator<EmbeddedExample> {
  const { layers, batchTokens, direction } = options;
  const { config } = model;
  const isConcept = features.kind === "concept";
  const dim = featureDim(config, features);
  const { program, frequencyInputs } = await programs.program(
    `${JSON.stringify(features)} ${layers.join()}`,
    () => buildGraph(model, layers, features, direction),
  );
  // Gradients of two responses behind one prompt could not be told apart: there every response has a row of its own.
  const rows =
    features.kind === "influence"
      ? wholeExamples(examples)
      : splitResponses(examples, (response) => !isConcept || response === AFTER);
  const limits = planLimits(config, config.layerCount, { batchTokens });
  const read = async (batch: PlannedBatch): Promise<ReadVector[]> => {
    const responses = batchResponses(rows.examples, batch);
    const outputs = await program.run({
      ...batchInputs(rows.examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...responseInputs(rows.examples, batch),
      ...slotInputs(responses, { isMean: features.kind === "influence" }),
    });
    const found = responses.map((row, r) => ({
      ...rows.placeOf(row.example, row.response),
      vector: readVector(outputs, { r, dim, layers, features }),
    }));
    return isConcept ? found.flatMap((after) => [noneBefore(after), after]) : found;
  };
  yield* streamVectors(examples, planBatches(rows.examples, limits), read, options);
}

/** Of a concept the before-response counts for nothing. */
const noneBefore = ({ example, vector }: ReadVector): ReadVector => ({
  example,
  response: 1 - AFTER,
  vector: new Float32Array(vector.length),
});

function buildGraph(
  model: LoadedModel,
  layers: readonly number[],
  features: PlainFeatures,
  direction: Float32Array | undefined,
): BuiltGraph {
  const sketch = sketchSize(features);
  const { outputs, projections, frequencyInputs } =
    features.kind === "influence"
      ? influenceFeatures(model, layers, sketch)
      : responseGradients(model, {
          sketch,
          isTrained: matcher(features.parameters),
          projectionAt: features.kind === "concept" ? features.layer : undefined,
        });
  const values = projections.map(
    (each) => [each.name, () => projectionValues(each, features)] as const,
  );
  const own = direction === undefined ? {} : { own: new Map([[DIRECTION, direction]]) };
  return { outputs, frequencyInputs, made: new Map(values), ...own };
}

/** Whether a parameter is one of those that a pattern names. */
export function matcher(pattern: string | null): (name: string) => boolean {
  if (pattern === null) return () => true;
  const expression = new RegExp(pattern);
  return (name) => expression.test(name);
}

function readVector(
  outputs: Readonly<Record<string, TensorValue>>,
  at: {
    readonly r: number;
    readonly dim: number;
    readonly layers: readonly number[];
    readonly features: PlainFeatures;
  },
): Float32Array {
  const { r, dim, layers, features } = at;
  const vector = new Float32Array(layers.length * dim);
  for (const [l, layer] of layers.entries()) {
    const { array } = outputs[features.kind === "influence" ? `layer.${layer}` : "sketch"]!; // the graph's outputs
    const part = array.subarray(r * dim, (r + 1) * dim) as Float32Array; // float32
    vector.set(part, l * dim);
  }
  return vector;
}
