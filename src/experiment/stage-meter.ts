import { hostname } from "node:os";
import { join } from "node:path";

import type { Cost, CostMeter } from "../engine/cost.ts";
import { WORKING } from "../runs/stage-record.ts";
import type { Progress } from "../util/progress.ts";
import { type Standing, startRate } from "../util/standing.ts";

/** How often a running stage shows that it is alive. */
const HEARTBEAT_MS = 1000;
/** Characters kept of an error: it may quote data. */
const MAX_FAILURE = 300;

/** The machine's time as stages that run side by side share it: each second belongs to those at work in equal parts. */
export class MachineTime {
  #atWork = 0;
  #sharedMs = 0;
  #lastMs = 0;

  /** Milliseconds that one of the stages at work has had of all so far: differences of it are a stage's share. */
  sharedMs(): number {
    const now = performance.now();
    if (this.#atWork > 0) this.#sharedMs += (now - this.#lastMs) / this.#atWork;
    this.#lastMs = now;
    return this.#sharedMs;
  }

  /** A stage begins (1) or ends (-1). */
  change(by: 1 | -1): void {
    this.sharedMs();
    this.#atWork += by;
  }
}

/** Counts what a running stage costs, and shows that it is alive. */
export interface StageMeter extends CostMeter {
  /** The same display, of which the heartbeat sees the counts. */
  watch(progress: Progress, unit: string): Progress;
  total(): Cost;
  /** `failure`: the error that ended the stage; none where it is done or was stopped by hand. */
  stop(failure?: Error): Promise<void>;
}

/** Counts a stage's cost on top of `before`, and writes it down every second so that a killed attempt counts too. */
export async function startStageMeter(
  path: string,
  before: Cost,
  machine: MachineTime,
): Promise<StageMeter> {
  const startMs = performance.now();
  machine.change(1);
  const startSharedMs = machine.sharedMs();
  let { tokens, flops } = before;
  let shown: Standing | undefined;
  const shows: Progress[] = [];
  const sampling: Parameters<CostMeter["watchSampling"]>[0][] = [];
  let readEndpoint: Parameters<CostMeter["watchEndpoint"]>[0] | undefined;
  const total = (): Cost => {
    const endpoint = readEndpoint?.(before.endpoint) ?? before.endpoint;
    const { seconds: earlier, machineSeconds = earlier } = before;
    const seconds = earlier + (performance.now() - startMs) / 1000;
    const shared = machineSeconds + (machine.sharedMs() - startSharedMs) / 1000;
    return {
      seconds,
      // A stage that was alone had all of its seconds, but for the moment between two looks at the clock.
      machineSeconds: seconds - shared < 0.001 ? undefined : shared,
      tokens: sampling.reduce(
        (sum, { promptTokens, sampledTokens }) => sum + promptTokens + sampledTokens,
        tokens,
      ),
      flops: sampling.reduce((sum, work) => sum + work.flops, flops),
      endpoint,
    };
  };
  let failed: string | undefined;
  let final: Cost | undefined;
  const beat = (): Promise<void> =>
    WORKING.write(join(path, WORKING.name), {
      pid: process.pid,
      host: hostname(),
      cost: final ?? total(),
      updatedAt: new Date().toISOString(),
      ...shown,
      failure: failed,
    });
  await beat();
  // One write at a time; a disk that fills up shows in the stage's own files.
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(beat).catch(() => {});
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    add: (count, flopsPerToken) => {
      tokens += count;
      flops += count * flopsPerToken;
    },
    watchSampling: (work) => void sampling.push(work),
    watchEndpoint: (read) => {
      readEndpoint = read;
    },
    watch: (progress, unit) => {
      shows.push(progress);
      const rateAt = startRate(() => performance.now());
      return {
        ...progress,
        update: (done, of) => {
          shown = { unit, done, total: of, rate: rateAt(done) };
          progress.update(done, of);
        },
      };
    },
    total: () => final ?? total(),
    stop: async (failure) => {
      failed = failure?.message.split("\n", 1)[0]!.slice(0, MAX_FAILURE);
      clearInterval(timer);
      final = total();
      machine.change(-1);
      for (const each of shows) each.end();
      await writing.then(beat).catch(() => {});
    },
  };
}
