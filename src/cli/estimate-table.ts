import type { ExperimentEstimate, StageEstimate } from "../experiment/estimate-experiment.ts";
import { moneyAmount } from "../util/figures.ts";
import { type Column, printable, tableOf } from "../util/text-table.ts";

/** What `culprit run --dry-run` prints: a line for each stage that would ask an endpoint, then the sum. */
export function formatEstimates({ stages, done, currency }: ExperimentEstimate): string {
  if (stages.length === 0) {
    return done.length === 0
      ? "no stage of this experiment asks an endpoint"
      : `nothing left to ask: ${done.map((id) => printable(id)).join(", ")} done`;
  }
  const hasMoney = stages.some(({ money }) => money !== undefined);
  const total = (of: (stage: StageEstimate) => number | undefined): number =>
    stages.reduce((sum, stage) => sum + (of(stage) ?? 0), 0);
  const sum: Line = {
    requests: total(({ requests }) => requests),
    promptTokens: total(({ promptTokens }) => promptTokens),
    completionTokens: total(({ completionTokens }) => completionTokens),
    money: total(({ money }) => money),
  };
  const lines = [...stages, sum];
  return [
    ...tableOf<Line>(lines, [
      ["stage", ({ id }) => (id === undefined ? "sum" : printable(id))],
      ["responses", ({ isSampled }) => RESPONSES[`${isSampled}`]],
      ["requests", ({ requests }) => requests],
      ["prompt tokens", ({ promptTokens }) => promptTokens],
      ["answer tokens", ({ completionTokens }) => completionTokens],
      ...(hasMoney ? [[currency, ({ money = 0 }) => moneyAmount(money)] as Column<Line>] : []),
    ]),
    "at most, repeated requests aside; responses to come are taken to be as long as they may be",
  ].join("\n");
}

/** A stage, or all of them together. */
type Line = Omit<StageEstimate, "id" | "isSampled"> & Partial<StageEstimate>;

const RESPONSES = { true: "there", false: "to come", undefined: "" };
