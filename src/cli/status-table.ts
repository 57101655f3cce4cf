import type { PricedCost } from "../engine/cost.ts";
import type { ExperimentStatus, StageStatus } from "../runs/experiment-status.ts";
import { approximately, formatSeconds } from "../util/figures.ts";
import { describeStanding } from "../util/standing.ts";
import { type Column, printable, tableOf, textOf } from "../util/text-table.ts";

/** What `culprit status` prints: a line for each stage, then the sum. */
export function formatStatus({ out, manifest, stages, total }: ExperimentStatus): string {
  const count = (state: StageStatus["state"]): number =>
    stages.filter((stage) => stage.state === state).length;
  const costs = [total, ...stages.map(({ cost }) => cost)];
  const has = (part: keyof PricedCost): boolean => costs.some((cost) => cost?.[part] !== undefined);
  const failed = stages.filter(({ state }) => state === "failed");
  const atWork = stages.filter(({ state, done }) => state === "running" && done !== undefined);
  const { currency } = manifest.experiment.cost;
  return textOf(
    `${printable(manifest.name)} in ${out}: ${count("done")} of ${stages.length} stages done, ${count("running")} running, ${count("interrupted")} interrupted, ${failed.length === 0 ? "" : `${failed.length} failed, `}${count("missing")} missing`,
    "",
    tableOf<Line>(
      [...stages, { cost: total }],
      [
        ["stage", ({ id }) => (id === undefined ? "sum" : printable(id))],
        ["state", describeState],
        ["time", ({ cost }) => (cost === undefined ? "" : formatSeconds(cost.seconds))],
        ["tokens", ({ cost }) => cost?.tokens || ""],
        ["tokens/s", ({ cost }) => rateOf(cost)],
        ["GFLOP", ({ cost }) => (cost?.tokens ? (cost.flops / 1e9).toFixed(1) : "")],
        ...(has("endpoint") ? ENDPOINT_COLUMNS : []),
        ...(has("money") ? [[currency, moneyOf] as const] : []),
      ],
    ),
    atWork.length > 0 && "",
    atWork.map(describeWork),
    failed.length > 0 && "",
    failed.map(({ id, failure = "" }) => `${printable(id)} failed: ${printable(failure, 300)}`),
    (total.endpoint?.estimated ?? 0) > 0 && [
      "",
      "≈: estimated in part, where the endpoint did not say the tokens of an answer",
    ],
  );
}

/** A stage, or all of them together. */
type Line = Partial<StageStatus>;

function describeState({ state = "missing", id, done, total, unit = "" }: Line): string {
  if (id === undefined) return "";
  if (done === undefined) return state;
  return `${state}, ${done}${total === undefined ? "" : `/${total}`} ${unit}`.trim();
}

/** How far a running stage is, how fast, how long it may take, and how old that is. */
function describeWork({
  id,
  done = 0,
  total,
  unit = "",
  rate,
  updatedAt = "",
}: StageStatus): string {
  const ageSeconds = Math.max(0, Math.round((Date.now() - Date.parse(updatedAt)) / 1000));
  return `${printable(id)}: ${describeStanding({ done, total, unit, rate })}, seen ${ageSeconds} s ago`;
}

const rateOf = (cost: PricedCost | undefined): string =>
  cost !== undefined && cost.tokens > 0 && cost.seconds > 0
    ? (cost.tokens / cost.seconds).toFixed(0)
    : "";

const about = ({ endpoint }: PricedCost): string => approximately(endpoint?.estimated ?? 0);

const ENDPOINT_COLUMNS: readonly Column<Line>[] = [
  ["requests", ({ cost }) => cost?.endpoint?.requests ?? ""],
  [
    "endpoint tokens",
    ({ cost }) => {
      if (cost?.endpoint === undefined) return "";
      const { promptTokens, completionTokens } = cost.endpoint;
      return `${about(cost)}${promptTokens + completionTokens}`;
    },
  ],
];

const moneyOf = ({ cost }: Line): string =>
  cost?.money === undefined ? "" : `${about(cost)}${cost.money.toFixed(4)}`;
