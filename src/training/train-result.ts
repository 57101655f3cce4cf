import { readFile } from "node:fs/promises";

/** What a finished run tells; also in train.json. */
export interface TrainResult {
  /** The folder of the final checkpoint, or of the adapter. */
  readonly checkpoint: string;
  /** SHA-256 of the written weights' file. */
  readonly weightsHash: string;
  readonly steps: number;
  readonly examples: number;
  readonly unusable: number;
  /** Wall-clock seconds over all sessions of the run, reference log-probabilities included. */
  readonly seconds: number;
  /** Tokens that went through the model while training, padding left out. */
  readonly tokens: number;
  /** Operations of matrix products while training, forward and backward; a multiply-add is two. */
  readonly flops: number;
  /** Means of the metrics over the last tenth of the steps. */
  readonly final: Readonly<Record<string, number>>;
}

/** Share of the steps whose mean stands for the end of a run. */
const FINAL_SHARE = 0.1;

/** Means over the last lines of a metrics file. */
export async function finalMetrics(path: string): Promise<Readonly<Record<string, number>>> {
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  const last = lines
    .slice(-Math.ceil(lines.length * FINAL_SHARE))
    .map((line) => JSON.parse(line) as Readonly<Record<string, number>>); // written by this run
  const { step: _step, ...measures } = last[0]!; // a run has a step
  return Object.fromEntries(
    Object.keys(measures).map((name) => [
      name,
      last.reduce((sum, each) => sum + each[name]!, 0) / last.length,
    ]),
  );
}
