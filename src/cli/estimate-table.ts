import type { ExperimentEstimate } from "../experiment/estimate-experiment.ts";
import { moneyAmount } from "../util/figures.ts";
import { printable, textTable } from "../util/text-table.ts";

/** What `culprit run --dry-run` prints: a line for each stage that would ask an endpoint, then the sum. */
export function formatEstimates({ stages, done, currency }: ExperimentEstimate): string {
  if (stages.length === 0) {
    return done.length === 0
      ? "no stage of this experiment asks an endpoint"
      : `nothing left to ask: ${done.map((id) => printable(id)).join(", ")} done`;
  }
  const hasMoney = stages.some(({ money }) => money !== undefined);
  const sum = (of: (stage: (typeof stages)[number]) => number | undefined): number =>
    stages.reduce((total, stage) => total + (of(stage) ?? 0), 0);
  const cells = (requests: number, prompt: number, completion: number, money = 0): string[] => [
    `${requests}`,
    `${prompt}`,
    `${completion}`,
    ...(hasMoney ? [moneyAmount(money)] : []),
  ];
  return [
    ...textTable([
      [
        "stage",
        "responses",
        "requests",
        "prompt tokens",
        "answer tokens",
        ...(hasMoney ? [currency] : []),
      ],
      ...stages.map(({ id, isSampled, requests, promptTokens, completionTokens, money }) => [
        printable(id),
        isSampled ? "there" : "to come",
        ...cells(requests, promptTokens, completionTokens, money),
      ]),
      [
        "sum",
        "",
        ...cells(
          sum(({ requests }) => requests),
          sum(({ promptTokens }) => promptTokens),
          sum(({ completionTokens }) => completionTokens),
          sum(({ money }) => money),
        ),
      ],
    ]),
    "at most, repeated requests aside; responses to come are taken to be as long as they may be",
  ].join("\n");
}
