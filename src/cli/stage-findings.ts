import { join } from "node:path";

import type { FinishedStage } from "../experiment/run-stages.ts";
import type { ExperimentStatus } from "../runs/experiment-status.ts";
import { printable, textOf } from "../util/text-table.ts";
import { formatStatus } from "./status-table.ts";

/** What `culprit run --until` ends with: what the stages it was to come to found, and how far the experiment is. */
export function formatFindings(status: ExperimentStatus, stages: readonly FinishedStage[]): string {
  const { out } = status;
  const done = status.stages.filter(({ state }) => state === "done").length;
  // A stage that an earlier version made has nothing to show; all that is known then is how far things are.
  if (stages.some(({ record }) => record.shown === undefined)) return formatStatus(status);
  return textOf(
    stages.map(({ id, record, directory }) => [
      stages.length > 1 && `== ${printable(id)}`,
      record.shown!, // checked above
      "",
      `${printable(id)}: ${join(out, directory)}`,
      stages.length > 1 && "",
    ]),
    `${done} of ${status.stages.length} stages done, culprit status ${out} shows them; the same command without --until goes on`,
  );
}
