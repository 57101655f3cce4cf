import type { PricedCost } from "../engine/cost.ts";
import type { ExperimentStatus, StageStatus } from "../runs/experiment-status.ts";
import { hashValue } from "../util/hash.ts";
import type { CostSoFar, RunProgress, StageProgress } from "./report-source.ts";

/** How far a run is that has not written its manifest. */
export const NOT_BEGUN: RunProgress = {
  name: "",
  state: "waiting",
  version: "0",
  stages: [],
  total: { seconds: 0, tokens: 0, money: undefined },
  currency: "",
  secondsLeft: undefined,
};

/** How far a run is, from what its folder shows, and whether a process is at work there: between two stages too. */
export function describeProgress(
  { manifest, stages, total }: ExperimentStatus,
  isAtWork: boolean,
): RunProgress {
  const running = stages.find(({ state }) => state === "running");
  const isDone = stages.every(({ state }) => state === "done");
  const finished = stages.filter(({ state }) => state === "done").map(({ directory }) => directory);
  return {
    name: manifest.name,
    state: isDone ? "done" : isAtWork || running !== undefined ? "running" : "stopped",
    version: hashValue([finished, manifest.finishedAt ?? ""]).slice(0, 12),
    stages: stages.map(describeStage),
    total: costOf(total)!,
    currency: manifest.experiment.cost.currency,
    secondsLeft: running && secondsLeft(running),
  };
}

function describeStage(stage: StageStatus): StageProgress {
  const { id, state, isCached = false, cost, done, total, unit, rate, failure } = stage;
  return { id, state, isCached, cost: costOf(cost), done, total, unit, rate, failure };
}

/** Of the work that a stage has counted; undefined while it does not know its amount or its rate. */
export function secondsLeft({
  done,
  total,
  rate,
}: Partial<Pick<StageProgress, "done" | "total" | "rate">>): number | undefined {
  return done === undefined || total === undefined || rate === undefined || rate <= 0
    ? undefined
    : Math.max(0, total - done) / rate;
}

const costOf = (cost: PricedCost | undefined): CostSoFar | undefined =>
  cost && { seconds: cost.seconds, tokens: cost.tokens, money: cost.money };
