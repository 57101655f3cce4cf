import type { Cost } from "../engine/cost.ts";
import type { ExperimentStatus, StageStatus } from "../experiment/experiment-status.ts";
import { formatSeconds } from "../util/duration.ts";
import { approximately } from "../util/figures.ts";
import { printable, textTable } from "../util/text-table.ts";

/** What `culprit status` prints: a line for each stage, then the sum. */
export function formatStatus({ out, manifest, stages, total }: ExperimentStatus): string {
  const count = (state: StageStatus["state"]): number =>
    stages.filter((stage) => stage.state === state).length;
  const shown = {
    hasEndpoint: [total, ...stages.map(({ cost }) => cost)].some(
      (cost) => cost?.endpoint !== undefined,
    ),
    hasMoney: [total, ...stages.map(({ cost }) => cost)].some((cost) => cost?.money !== undefined),
  };
  const failed = stages.filter(({ state }) => state === "failed");
  const { currency } = manifest.experiment.cost;
  return [
    `${printable(manifest.name)} in ${out}: ${count("done")} of ${stages.length} stages done, ${count("running")} running, ${count("interrupted")} interrupted, ${failed.length === 0 ? "" : `${failed.length} failed, `}${count("missing")} missing`,
    "",
    ...textTable([
      [
        "stage",
        "state",
        "time",
        "tokens",
        "tokens/s",
        "GFLOP",
        ...(shown.hasEndpoint ? ["requests", "endpoint tokens"] : []),
        ...(shown.hasMoney ? [currency] : []),
      ],
      ...stages.map((stage) => [
        printable(stage.id),
        describeState(stage),
        ...costCells(stage.cost, shown),
      ]),
      ["sum", "", ...costCells(total, shown)],
    ]),
    ...(failed.length === 0 ? [] : [""]),
    ...failed.map(({ id, failure = "" }) => `${printable(id)} failed: ${printable(failure, 300)}`),
    ...((total.endpoint?.estimated ?? 0) > 0
      ? ["", "≈: estimated in part, where the endpoint did not say the tokens of an answer"]
      : []),
  ].join("\n");
}

function describeState({ state, done, total, unit }: StageStatus): string {
  if (done === undefined) return state;
  return `${state}, ${done}${total === undefined ? "" : `/${total}`} ${unit ?? ""}`.trim();
}

function costCells(
  cost: (Cost & { money?: number | undefined }) | undefined,
  shown: { readonly hasEndpoint: boolean; readonly hasMoney: boolean },
): string[] {
  const columns = 4 + (shown.hasEndpoint ? 2 : 0) + (shown.hasMoney ? 1 : 0);
  if (cost === undefined) return Array.from({ length: columns }, () => "");
  const { seconds, tokens, flops, endpoint, money } = cost;
  const hasTokens = tokens > 0;
  const about = approximately(endpoint?.estimated ?? 0);
  const asked = endpoint && [
    `${endpoint.requests}`,
    `${about}${endpoint.promptTokens + endpoint.completionTokens}`,
  ];
  return [
    formatSeconds(seconds),
    hasTokens ? `${tokens}` : "",
    hasTokens && seconds > 0 ? (tokens / seconds).toFixed(0) : "",
    hasTokens ? (flops / 1e9).toFixed(1) : "",
    ...(shown.hasEndpoint ? (asked ?? ["", ""]) : []),
    ...(shown.hasMoney ? [money === undefined ? "" : `${about}${money.toFixed(4)}`] : []),
  ];
}
