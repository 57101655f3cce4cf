import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import { readMetrics } from "./metrics.ts";

/** What a finished run tells; also in train.json. */
export const trainResultSchema = z.strictObject({
  /** The folder of the final checkpoint, or of the adapter. */
  checkpoint: z.string(),
  /** SHA-256 of the written weights' file. */
  weightsHash: z.string(),
  steps: countSchema,
  examples: countSchema,
  unusable: countSchema,
  /** Wall-clock seconds over all sessions of the run, reference log-probabilities included. */
  seconds: z.number(),
  /** Tokens that went through the model while training, padding left out. */
  tokens: countSchema,
  /** Operations of matrix products while training, forward and backward; a multiply-add is two. */
  flops: z.number(),
  /** Means of the metrics over the last tenth of the steps. */
  final: z.record(z.string(), z.number()),
});
export type TrainResult = Plain<typeof trainResultSchema>;

/** Share of the steps whose mean stands for the end of a run. */
const FINAL_SHARE = 0.1;

/** Means over the last lines of a metrics file. */
export async function finalMetrics(path: string): Promise<Readonly<Record<string, number>>> {
  const steps = await readMetrics(path);
  const last = steps.slice(-Math.ceil(steps.length * FINAL_SHARE));
  const { step: _step, ...measures } = last[0]!; // a run has a step
  return Object.fromEntries(
    Object.keys(measures).map((name) => [
      name,
      last.reduce((sum, each) => sum + each[name]!, 0) / last.length,
    ]),
  );
}
