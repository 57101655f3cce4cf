/** @file What each step is measured by, one line of JSON a step. */
import { type FileHandle, open, readFile } from "node:fs/promises";

import { z } from "zod";

import type { StepExample, StepResult } from "../engine/trainer.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import { describeWriteError } from "../util/atomic-file.ts";
import { FormatError } from "../util/errors.ts";
import { meanOf } from "../util/vector.ts";
import type { Method } from "./resolve-settings.ts";

/** The measures of one step, in the order in which they are written. */
export type StepMetrics = Readonly<Record<string, number>>;

/**
 * DPO, as TRL names and defines them: rewards are β times the log-ratio to the reference (length-normalised where the loss is), accuracy
 * the share of pairs whose chosen side has the higher one; all are means over the step's pairs, log-probabilities in nats. SFT: the
 * mean log-probability of a token besides the loss.
 */
export function stepMetrics(
  method: Method,
  examples: readonly StepExample[],
  result: StepResult,
): StepMetrics {
  const { loss, gradientNorm, tokens } = result;
  const common = { examples: examples.length, tokens, gradientNorm };
  if (method.kind === "sft") return { loss, ...common };
  const pairs = examples.map(({ responses, reference }, i) => {
    const reward = (side: 0 | 1): number => {
      const ratio = result.logprobs[i]![side]! - reference![side]!; // DPO examples have both
      return (method.beta * ratio) / (method.lengthNormalized ? responses[side]!.length : 1);
    };
    return { chosen: reward(0), rejected: reward(1) };
  });
  const meanLogprob = (side: 0 | 1): number => meanOf(result.logprobs.map((each) => each[side]!));
  return {
    loss,
    accuracy: meanOf(pairs.map(({ chosen, rejected }) => (chosen > rejected ? 1 : 0))),
    margin: meanOf(pairs.map(({ chosen, rejected }) => chosen - rejected)),
    chosenReward: meanOf(pairs.map(({ chosen }) => chosen)),
    rejectedReward: meanOf(pairs.map(({ rejected }) => rejected)),
    chosenLogprob: meanLogprob(0),
    rejectedLogprob: meanLogprob(1),
    ...common,
  };
}

/** The metrics of a run, a step each with its number. */
export async function readMetrics(path: string): Promise<readonly StepMetrics[]> {
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  return lines.map((line, i) => {
    try {
      return stepSchema.parse(JSON.parse(line));
    } catch (cause) {
      throw new FormatError(`${path}, line ${i + 1}: expected the metrics of a step`, { cause });
    }
  });
}

const stepSchema = z.record(z.string(), z.number());

/** The metrics file of a run. */
export interface MetricsFile extends AsyncDisposable {
  /** Bytes of the lines so far. */
  readonly bytes: number;
  append(step: number, metrics: StepMetrics): Promise<void>;
  /** Makes sure that the lines so far outlast a crash. */
  sync(): Promise<void>;
}

/** Opens a metrics file and drops what a killed run wrote past `bytes`. */
export async function openMetrics(path: string, bytes: number): Promise<MetricsFile> {
  let file: FileHandle;
  try {
    file = await open(path, bytes === 0 ? "w" : "r+");
    await file.truncate(bytes);
  } catch (error) {
    throw describeWriteError(path, error);
  }
  let at = bytes;
  return {
    get bytes() {
      return at;
    },
    async append(step, metrics) {
      const line = Buffer.from(`${JSON.stringify({ step, ...metrics })}\n`);
      try {
        await file.write(line, 0, line.length, at);
      } catch (error) {
        throw describeWriteError(path, error);
      }
      at += line.length;
    },
    sync: () => file.sync(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

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
