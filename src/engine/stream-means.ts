import type { LoadedModel } from "../model/model-family.ts";
/** @file Mean activations of responses, streamed over batches. */
import { pooledActivations, prefixKeys, usedRopes } from "../model/pooled-activations.ts";
import type { TensorValue } from "../runtime/ort.ts";
import type { JobOptions } from "../util/progress.ts";
import { batchInputs, prefixInputs } from "./batch-inputs.ts";
import { MeansCollector } from "./collect-means.ts";
import type { EmbeddedExample, TokenizedExample } from "./engine.ts";
import type { GraphProgram, GraphPrograms } from "./graph-programs.ts";
import { joinPrompts } from "./join-prompts.ts";
import { planBatches, type PlannedBatch } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { queryPieces } from "./query-pieces.ts";
import { sharedPrefixLength } from "./shared-prefix.ts";

interface MeansOptions extends JobOptions {
  /** In [0, n], each once, one at least. */
  readonly layers: readonly number[];
  readonly batchTokens: number;
  /** Whether the prefix that all prompts share is run once only; it takes graphs of its own. */
  readonly sharesPrefix: boolean;
}

/** See Engine.embed. Throws ActivationError where a mean is not finite. */
export async function* streamMeans(
  programs: GraphPrograms,
  model: LoadedModel,
  examples: readonly TokenizedExample[],
  { layers, batchTokens, sharesPrefix, signal, progress }: MeansOptions,
): AsyncGenerator<EmbeddedExample> {
  const { config } = model;
  const top = Math.max(...layers);
  const prefixLength = sharesPrefix ? sharedPrefixLength(examples, usedRopes(config, top)) : 0;
  const hasPrefix = prefixLength > 0;
  const programFor = (batch: PlannedBatch): Promise<GraphProgram> => {
    const pieces = queryPieces(batch);
    return programs.program(
      `${hasPrefix ? "prefix, " : ""}pieces ${pieces}, layers ${layers.join()}`,
      () => pooledActivations(model, layers, { hasPrefix, pieces }),
    );
  };
  const prefix =
    hasPrefix && top > 0
      ? await prefixValues(programs, model, examples[0]!.prompt.slice(0, prefixLength), top)
      : {};
  const joined = joinPrompts(examples);
  const collector = new MeansCollector(examples, joined, { layers, dim: config.dim });
  let finished = 0;
  const limits = planLimits(config, top, { batchTokens, prefixLength });
  for (const batch of planBatches(joined.examples, limits)) {
    signal?.throwIfAborted();
    const { program, frequencyInputs } = await programFor(batch);
    const inputs = batchInputs(joined.examples, batch, {
      frequencyInputs,
      rotaryDim: config.rotaryDim,
      prefixLength,
    });
    const outputs = await program.run({ ...inputs, ...prefix });
    for (const done of collector.add(batch, outputs)) {
      yield done;
      finished++;
    }
    progress?.update(finished, examples.length);
  }
}

/** Keys and values of a prefix below layer `top`, as inputs by name. */
async function prefixValues(
  programs: GraphPrograms,
  model: LoadedModel,
  prefix: Int32Array,
  top: number,
): Promise<Readonly<Record<string, TensorValue>>> {
  const { program, frequencyInputs } = await programs.program(`prefix keys ${top}`, () =>
    prefixKeys(model, top),
  );
  return program.run(prefixInputs(prefix, { frequencyInputs, rotaryDim: model.config.rotaryDim }));
}
