/** @file Log-probabilities of responses, and the states that they come from, streamed over batches. */
import type { LoadedModel } from "../model/model-family.ts";
import type { RopeScaling } from "../model/rope.ts";
import type { Program } from "../runtime/ort.ts";
import { RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { batchInputs } from "./batch-inputs.ts";
import type { ExampleLogprobs, PredictingStates, TokenizedExample } from "./engine.ts";
import { planBatches } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { ResponseCollector } from "./response-collector.ts";
import { batchResponses, responseInputs } from "./response-inputs.ts";
import type { ResponseSteering } from "./response-steering.ts";

/** A compiled graph of model/response-logprobs.ts. */
export interface ResponseProgram {
  readonly program: Program;
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

interface StreamSettings extends JobOptions {
  readonly batchTokens: number;
  /** As the graph was built. */
  readonly steering?: ResponseSteering | undefined;
}

/** See Engine.logprobs; its graph has the output `logprobs`. Throws RuntimeError naming the example where a log-probability is not finite. */
export async function* streamLogprobs(
  program: ResponseProgram,
  model: LoadedModel,
  examples: readonly TokenizedExample[],
  settings: StreamSettings,
): AsyncGenerator<ExampleLogprobs> {
  const outputs = streamResponses(program, model, examples, { ...settings, output: "logprobs" });
  for await (const { index, values, tokenCounts } of outputs) {
    const logprobs = values.map((each) => each[0]!); // one a response
    yield { index, logprobs, tokenCounts };
  }
}

/** See Engine.predictingStates; its graph has the output `sums`. Throws RuntimeError naming the example where a number is not finite. */
export async function* streamPredictingStates(
  program: ResponseProgram,
  model: LoadedModel,
  examples: readonly TokenizedExample[],
  settings: StreamSettings,
): AsyncGenerator<PredictingStates> {
  const outputs = streamResponses(program, model, examples, { ...settings, output: "sums" });
  for await (const { index, values, tokenCounts } of outputs) {
    yield { index, sums: values, tokenCounts };
  }
}

/** What the graph's output [R, …] has for each response of an example, as its batches finish. */
async function* streamResponses(
  { program, frequencyInputs }: ResponseProgram,
  { config }: LoadedModel,
  examples: readonly TokenizedExample[],
  {
    batchTokens,
    steering,
    signal,
    progress,
    output,
  }: StreamSettings & { readonly output: keyof typeof NOT_FINITE },
): AsyncGenerator<{
  readonly index: number;
  readonly values: readonly Float32Array[];
  readonly tokenCounts: readonly number[];
}> {
  const collector = new ResponseCollector<Float32Array>(examples);
  let finished = 0;
  for (const batch of planBatches(
    examples,
    planLimits(config, config.layerCount, { batchTokens }),
  )) {
    signal?.throwIfAborted();
    const outputs = await program.run({
      ...batchInputs(examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...responseInputs(examples, batch),
      ...steering?.inputs(examples, batch),
    });
    const all = outputs[output]!.array as Float32Array; // the graph's output
    const responses = batchResponses(examples, batch);
    const width = all.length / responses.length;
    for (const [r, { example, response }] of responses.entries()) {
      const own = all.slice(r * width, (r + 1) * width);
      if (!own.every(Number.isFinite)) throw notFinite(example, NOT_FINITE[output]);
      const values = collector.add(example, response, own);
      if (values === undefined) continue;
      finished++;
      const tokenCounts = examples[example]!.responses.map((each) => each.length); // planned from these
      yield { index: example, values, tokenCounts };
    }
    progress?.update(finished, examples.length);
  }
}

const NOT_FINITE = { logprobs: "a log-probability", sums: "a state before the output matrix" };

function notFinite(example: number, what: string): RuntimeError {
  return new RuntimeError(`example ${example}: ${what} is not finite`, {
    hint: "The checkpoint may be broken: its training diverged, say.",
  });
}
