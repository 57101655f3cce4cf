/** @file Log-probabilities of responses, streamed over batches. */
import type { LoadedModel } from "../model/model-family.ts";
import type { RopeScaling } from "../model/rope.ts";
import type { Program } from "../runtime/ort.ts";
import { RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { batchInputs } from "./batch-inputs.ts";
import type { ExampleLogprobs, TokenizedExample } from "./engine.ts";
import { planBatches } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { ResponseCollector } from "./response-collector.ts";
import { batchResponses, responseInputs } from "./response-inputs.ts";

/** A compiled graph of model/response-logprobs.ts with its output `logprobs`. */
export interface LogprobsProgram {
  readonly program: Program;
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

/** See Engine.logprobs. Throws RuntimeError naming the example where a log-probability is not finite. */
export async function* streamLogprobs(
  { program, frequencyInputs }: LogprobsProgram,
  { config }: LoadedModel,
  examples: readonly TokenizedExample[],
  { batchTokens, signal, progress }: JobOptions & { readonly batchTokens: number },
): AsyncGenerator<ExampleLogprobs> {
  const collector = new ResponseCollector<number>(examples);
  let finished = 0;
  for (const batch of planBatches(
    examples,
    planLimits(config, config.layerCount, { batchTokens }),
  )) {
    signal?.throwIfAborted();
    const outputs = await program.run({
      ...batchInputs(examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...responseInputs(examples, batch),
    });
    const sums = outputs["logprobs"]!.array as Float32Array; // the graph's output
    for (const [r, { example, response }] of batchResponses(examples, batch).entries()) {
      if (!Number.isFinite(sums[r])) throw notFinite(example);
      const logprobs = collector.add(example, response, sums[r]!);
      if (logprobs === undefined) continue;
      finished++;
      const tokenCounts = examples[example]!.responses.map((each) => each.length); // planned from these
      yield { index: example, logprobs, tokenCounts };
    }
    progress?.update(finished, examples.length);
  }
}

function notFinite(example: number): RuntimeError {
  return new RuntimeError(`example ${example}: a log-probability is not finite`, {
    hint: "The checkpoint may be broken: its training diverged, say.",
  });
}
