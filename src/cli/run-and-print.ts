import { existsSync } from "node:fs";
import { join } from "node:path";

import type { OpenInputsOptions } from "../experiment/open-inputs.ts";
import { planRun } from "../experiment/plan-run.ts";
import type { ExperimentFile } from "../experiment/read-experiment.ts";
import { runExperiment, type RunExperimentOptions } from "../experiment/run-experiment.ts";
import { readExperimentStatus } from "../runs/experiment-status.ts";
import { RESULT, TABLE_NAME } from "../runs/result.ts";
import { asJson, type CommandContext } from "./command.ts";
import { formatPlan } from "./plan-table.ts";
import { formatResult } from "./result-table.ts";
import { createRunView, type RunView } from "./run-view.ts";
import { formatFindings } from "./stage-findings.ts";
import { createStageLog } from "./stage-log.ts";

/**
 * Runs an experiment and prints its result with the paths of what was written; where it was told to stop before there is a result, what
 * the stage that it was to come to has found.
 */
export async function runAndPrint(
  file: ExperimentFile,
  options: Pick<RunExperimentOptions, "out" | "until" | "force">,
  { isJson, context }: { readonly isJson: boolean; readonly context: CommandContext },
): Promise<void> {
  const { out } = options;
  const { screen, signal } = context;
  const view =
    screen &&
    createRunView({
      screen,
      look: () => readExperimentStatus(out).catch(() => undefined),
      nowMs: () => performance.now(),
      signal,
    });
  const { isWhole, stages } = await ending(view, () =>
    runExperiment(file, {
      ...options,
      ...inputOptions(context),
      ...(view?.hooks ?? createStageLog(context)),
      table: formatResult,
    }),
  );
  if (!isWhole) {
    // There may be a result, from an earlier run; it is not what was asked for.
    const status = await readExperimentStatus(out);
    if (isJson) return context.print(asJson(status));
    const wanted = stages.filter(
      ({ id, stage }) => id === options.until || stage.kind === options.until,
    );
    return context.print(formatFindings(status, wanted));
  }
  const result = await RESULT.read(join(out, RESULT.name));
  if (isJson) context.print(asJson(result));
  else context.print([formatResult(result), "", ...writtenPaths(out)].join("\n"));
}

/** The work, well or not, with the last of its view. */
async function ending<T>(view: RunView | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await view?.end();
  }
}

/** Prints what a run would do, and does nothing of it. */
export async function printPlan(
  file: ExperimentFile,
  options: Pick<RunExperimentOptions, "out" | "until" | "force">,
  { isJson, context }: { readonly isJson: boolean; readonly context: CommandContext },
): Promise<void> {
  const plan = await planRun(file, { ...options, ...inputOptions(context) });
  context.print(isJson ? asJson(plan) : formatPlan(plan));
}

function inputOptions({ signal, progress, warn }: CommandContext): OpenInputsOptions {
  return { download: { signal, progress: progress("download", "bytes") }, signal, warn };
}

const WRITTEN: readonly (readonly [name: string, what: string])[] = [
  [TABLE_NAME, "this table"],
  ["result.json", "its figures, and more of them"],
  ["ranking.parquet", "every pair with its score and rank"],
  ["run.json", "settings, versions, hashes, times and costs; culprit status shows them"],
  ["stages", "a folder for each stage: checkpoints, responses, verdicts, vectors, edited ids"],
];

function writtenPaths(out: string): string[] {
  const there = WRITTEN.filter(([name]) => existsSync(join(out, name)));
  const width = Math.max(...there.map(([name]) => join(out, name).length));
  return there.map(([name, what]) => `${join(out, name).padEnd(width)}  ${what}`);
}
