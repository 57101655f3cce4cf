import {
  type ExperimentFile,
  readExperimentStatus,
  readResult,
  runExperiment,
  type RunExperimentOptions,
} from "../index.ts";
import type { CommandContext } from "./command.ts";
import { resolveRemote } from "./pair-flags.ts";
import { formatResult } from "./result-table.ts";
import { createStageLog } from "./stage-log.ts";
import { formatStatus } from "./status-table.ts";

/** Runs an experiment and prints its result; where it was told to stop before there is one, how far it is. */
export async function runAndPrint(
  file: ExperimentFile,
  options: Pick<RunExperimentOptions, "out" | "until" | "force">,
  { isJson, context }: { readonly isJson: boolean; readonly context: CommandContext },
): Promise<void> {
  await runExperiment(file, {
    ...options,
    resolveRemote: resolveRemote(context),
    download: { signal: context.signal, progress: context.progress("download", "bytes") },
    signal: context.signal,
    ...createStageLog(context),
  });
  const { out, until } = options;
  const result = until === undefined ? await readResult(out) : undefined;
  const status = await readExperimentStatus(out);
  if (isJson) context.print(JSON.stringify(result ?? status, undefined, 2));
  else context.print(result === undefined ? formatStatus(status) : formatResult(result));
}
