import { measureSpeed } from "../engine/machine-speed.ts";
import { freeBytes } from "../verbs/doctor/check-machine.ts";
/** @file What a run would do, before it does anything: every stage, what is there already, time, tokens, money and disk. */
import { requireTops } from "./arms.ts";
import { type EarlierCosts, earlierSpeed, readEarlierCosts } from "./earlier-costs.ts";
import { estimateExperiment } from "./estimate-experiment.ts";
import { openInputs, type OpenInputsOptions } from "./open-inputs.ts";
import { planExperiment } from "./plan-experiment.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import { findFinished } from "./run-stages.ts";
import type { Experiment } from "./sections.ts";
import { amountOf, measurePairs, type StageAmount } from "./stage-amount.ts";
import { stagesAtOnce } from "./stage-threads.ts";
import { type AskingEstimate, namedStages, stageId, stagesUntil } from "./stage.ts";

/**
 * Where a stage's time comes from: stages of its kind in this folder; its arithmetic at the speed that stages of other kinds reached
 * here; or at that of a short measurement of this machine, which no stage reaches.
 */
export type TimeBasis = "earlier stages" | "speed of others" | "short measurement";

interface Speed {
  /** Floating-point operations a second. */
  readonly flops: number;
  readonly basis: TimeBasis;
}

/** What is known of one stage before it runs. */
export interface PlannedStage {
  readonly id: string;
  /** It is there, and will be taken as it is; else it runs, unless its inputs come out as they once were. */
  readonly isThere: boolean;
  /** Undefined where nothing says how long it takes. */
  readonly seconds?: number | undefined;
  readonly basis?: TimeBasis | undefined;
  /** Through models here. */
  readonly tokens?: number | undefined;
  /** Of disk. */
  readonly bytes?: number | undefined;
  /** Of an endpoint, at most. */
  readonly asking?: AskingEstimate | undefined;
}

export interface RunPlan {
  readonly stages: readonly PlannedStage[];
  readonly currency: string;
  /** Of the disk that the folder is on, or will be. */
  readonly freeBytes: number;
  /** Where the work would be done, if not all of it in this process. */
  readonly places: readonly string[];
  /** Stages that would run side by side at most: the whole then takes less than the sum of their times. */
  readonly atOnce: number;
  /** What the times of kinds that have not run in this folder rest on; undefined where none does. */
  readonly speed: Speed | undefined;
}

export interface PlanRunOptions extends OpenInputsOptions {
  readonly out: string;
  readonly until?: string | undefined;
  readonly force?: readonly string[] | undefined;
}

/** Plans a run; writes nothing, asks nothing and runs no stage. Reads the inputs, and may measure the machine for half a second. */
export async function planRun(file: ExperimentFile, options: PlanRunOptions): Promise<RunPlan> {
  const { out, signal } = options;
  const { experiment } = file;
  const inputs = await openInputs(file, options);
  const planned = { experiment, inputs };
  const all = planExperiment(experiment, inputs, options.verbs);
  const stages = stagesUntil(all, options.until);
  const forced = namedStages(stages, options.force ?? [], "force");
  const done = new Set((await findFinished(all, out)).map(({ id }) => id));
  const isThere = (id: string): boolean => done.has(id) && !forced.has(id);
  const asking = new Map(
    (await estimateExperiment(file, options)).stages.map(({ id, ...each }) => [id, each]),
  );
  const toRun = stages.filter((stage) => !isThere(stageId(stage)));
  const earlier = await readEarlierCosts(out);
  const amounts = toRun.length === 0 ? undefined : await measurePairs(planned, signal);
  if (amounts !== undefined) requireTops(experiment, amounts.pairs);
  const amountFor = (stage: (typeof stages)[number]): StageAmount | undefined =>
    amounts && amountOf(planned, stage, amounts);
  const isGuessed = toRun.some(
    (stage) => !earlier.has(stage.kind) && (amountFor(stage)?.flops ?? 0) > 0,
  );
  // This machine's speed says nothing of a cluster's.
  const isHere = experiment.engine.kind === "local";
  const speed =
    isGuessed && isHere ? await findSpeed(earlier, experiment.engine.threads) : undefined;
  return {
    stages: stages.map((stage): PlannedStage => {
      const id = stageId(stage);
      if (isThere(id)) return { id, isThere: true };
      const known = forecast(earlier.get(stage.kind), amountFor(stage), speed);
      return { id, isThere: false, ...known, asking: asking.get(id) };
    }),
    currency: experiment.cost.currency,
    freeBytes: await freeBytes(out),
    places: placesOf(experiment.engine),
    atOnce: stagesAtOnce({ engine: experiment.engine, size: inputs.before.size }),
    speed,
  };
}

function placesOf({ kind, address, training }: Experiment["engine"]): readonly string[] {
  if (kind === "local") return [];
  return [
    `checkpoints are embedded, sampled and asked by engine ${kind} at ${address}`,
    ...(training === undefined ? [] : ["training runs in this process: engine.training is local"]),
  ];
}

/** By the rate of earlier stages of the kind, or as long as they took; else by the arithmetic. */
function forecast(
  earlier: EarlierCosts | undefined,
  amount: StageAmount | undefined,
  speed: Speed | undefined,
): Omit<PlannedStage, "id" | "isThere"> {
  if (earlier !== undefined) {
    const { stages, seconds, tokens, bytes } = earlier;
    const times = amount === undefined || tokens === 0 ? 1 / stages : amount.tokens / tokens;
    return {
      seconds: seconds * times,
      basis: "earlier stages",
      tokens: amount?.tokens ?? tokens / stages,
      bytes: Math.max(amount?.bytes ?? 0, bytes / stages),
    };
  }
  if (amount === undefined) return {};
  const { tokens, flops, bytes } = amount;
  return { seconds: speed && flops / speed.flops, basis: speed?.basis, tokens, bytes };
}

async function findSpeed(
  earlier: ReadonlyMap<string, EarlierCosts>,
  threads: number | undefined,
): Promise<Speed> {
  const known = earlierSpeed(earlier);
  return known === undefined
    ? { flops: await measureSpeed(threads), basis: "short measurement" }
    : { flops: known, basis: "speed of others" };
}
