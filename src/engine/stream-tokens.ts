import type { LoadedModel } from "../model/model-family.ts";
/** @file Activations of every token of responses, streamed over batches: the graph that pools, given a pool that picks single tokens. */
import { pooledActivations } from "../model/pooled-activations.ts";
import type { TensorValue } from "../runtime/ort.ts";
import type { JobOptions } from "../util/progress.ts";
import { ActivationError } from "./activation-error.ts";
import { batchInputs } from "./batch-inputs.ts";
import type { TokenActivations, TokenizedExample } from "./engine.ts";
import type { GraphPrograms } from "./graph-programs.ts";
import { batchWidth, planBatches, type PlannedBatch, type PlannedRow } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { ResponseCollector } from "./response-collector.ts";

/** See Engine.embedTokens. B rows, R response tokens of the row that has most, T tokens, D width. */
export async function* streamTokens(
  programs: GraphPrograms,
  model: LoadedModel,
  examples: readonly TokenizedExample[],
  {
    layer,
    batchTokens,
    signal,
    progress,
  }: JobOptions & { readonly layer: number; readonly batchTokens: number },
): AsyncGenerator<TokenActivations> {
  const { config } = model;
  const { program, frequencyInputs } = await programs.program(`pieces 1, layers ${layer}`, () =>
    pooledActivations(model, [layer]),
  );
  const collector = new ResponseCollector<Float32Array>(examples);
  let finished = 0;
  for (const batch of planBatches(
    examples,
    planLimits(config, layer, { batchTokens, prefixLength: 0 }),
  )) {
    signal?.throwIfAborted();
    const inputs = batchInputs(examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim });
    const pool = pickTokens(examples, batch);
    const outputs = await program.run({ ...inputs, pool });
    const { array, shape } = outputs[`layer.${layer}`]!; // [B, R, D]
    for (const [r, row] of batch.entries()) {
      const { responses } = examples[row.example]!; // planned from these examples
      let at = r * shape[1]! * config.dim;
      for (const each of row.responses) {
        const size = responses[each]!.length * config.dim;
        const values = array.slice(at, at + size) as Float32Array; // the graph's outputs are float32
        if (!values.every(Number.isFinite)) throw new ActivationError(layer, row.example);
        at += size;
        const activations = collector.add(row.example, each, values);
        if (activations === undefined) continue;
        yield { index: row.example, activations };
        progress?.update(++finished, examples.length);
      }
    }
  }
}

/** [B, R, T]: a 1 for each response token of a row, in their order behind the prompt. */
function pickTokens(examples: readonly TokenizedExample[], batch: PlannedBatch): TensorValue {
  const tokensOf = (row: PlannedRow): number => row.length - examples[row.example]!.prompt.length; // no prefix is shared
  const picked = Math.max(...batch.map(tokensOf));
  const width = batchWidth(batch);
  const array = new Float32Array(batch.length * picked * width);
  for (const [r, row] of batch.entries()) {
    const prompt = examples[row.example]!.prompt.length; // planned from these examples
    for (let i = 0; i < tokensOf(row); i++) array[(r * picked + i) * width + prompt + i] = 1;
  }
  return { dtype: "float32", shape: [batch.length, picked, width], array };
}
