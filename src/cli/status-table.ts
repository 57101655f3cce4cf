import type { Cost, ExperimentStatus, StageStatus } from "../index.ts";
import { formatSeconds } from "./duration.ts";
import { printable, textTable } from "./text-table.ts";

/** What `culprit status` prints: a line for each stage, then the sum. */
export function formatStatus({ out, manifest, stages }: ExperimentStatus): string {
  const count = (state: StageStatus["state"]): number =>
    stages.filter((stage) => stage.state === state).length;
  const hasMoney = manifest.total.money !== undefined;
  const { currency } = manifest.experiment.cost;
  return [
    `${printable(manifest.name)} in ${out}: ${count("done")} of ${stages.length} stages done, ${count("running")} running, ${count("interrupted")} interrupted, ${count("missing")} missing`,
    "",
    ...textTable([
      ["stage", "state", "time", "tokens", "tokens/s", "GFLOP", ...(hasMoney ? [currency] : [])],
      ...stages.map((stage) => [
        printable(stage.id),
        describeState(stage),
        ...costCells(stage.cost, hasMoney),
      ]),
      ["sum", "", ...costCells(manifest.total, hasMoney)],
    ]),
  ].join("\n");
}

function describeState({ state, done, total, unit }: StageStatus): string {
  if (done === undefined) return state;
  return `${state}, ${done}${total === undefined ? "" : `/${total}`} ${unit ?? ""}`.trim();
}

function costCells(cost: (Cost & { money?: number }) | undefined, hasMoney: boolean): string[] {
  if (cost === undefined) return ["", "", "", "", ...(hasMoney ? [""] : [])];
  const { seconds, tokens, flops, money } = cost;
  const hasTokens = tokens > 0;
  return [
    formatSeconds(seconds),
    hasTokens ? `${tokens}` : "",
    hasTokens && seconds > 0 ? (tokens / seconds).toFixed(0) : "",
    hasTokens ? (flops / 1e9).toFixed(1) : "",
    ...(hasMoney ? [money === undefined ? "" : money.toFixed(4)] : []),
  ];
}
