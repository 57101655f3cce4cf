/** @file A run as a ReportSource that answers from its folder, finished or at work: what the server asks, and programs that look at runs. */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { EngineHost } from "../../engine/engine-host.ts";
import type { Forecast } from "../../forecast/forecast-file.ts";
import { readExperimentStatus } from "../../runs/experiment-status.ts";
import { type ExperimentResult, RESULT } from "../../runs/result.ts";
import { RUN } from "../../runs/run-manifest.ts";
import type { JobOptions } from "../../util/progress.ts";
import { isBeingWritten } from "../../util/writer-lock.ts";
import { DECISIONS_NAME } from "../decisions-name.ts";
import { expectOwnForecast } from "../expect-own-forecast.ts";
import { openRunPairs, type PairReading, type PairReadingOptions } from "../pair-reading.ts";
import { type PartName, PARTS, type PartValues } from "../parts/index.ts";
import { readRankings, type RunRanking } from "../read-rankings.ts";
import type { ReportSource, ReviewSource, RunProgress, TokensAnswer } from "../report-source.ts";
import { openRunFolder, readingRun, type RunFolder } from "../run-folder.ts";
import { describeProgress, NOT_BEGUN } from "../run-progress.ts";
import { createReviewDesk } from "./review-desk.ts";
import { openServedPairs, type ServedPairs } from "./served-pairs.ts";
import { createTokenDesk } from "./token-desk.ts";

export interface RunSourceOptions extends PairReadingOptions, JobOptions {
  /** The run may not have begun, and then has nothing; default false: a folder without one is refused by whatever is asked first. */
  readonly mayWait?: boolean | undefined;
  /** Runs the checkpoint before, to shade tokens; absent: none are. */
  readonly host?: EngineHost | undefined;
  /** Where decisions of people are written. Default: decisions.jsonl in the run's folder. */
  readonly decisions?: string | undefined;
  /** What culprit forecast said of the run's pairs; refused, when the run is read, where it is of others. */
  readonly forecast?: Forecast | undefined;
}

/** A run that answers; disposing ends its database and its checkpoint. */
export interface RunSource extends Omit<ReportSource, "tokens">, AsyncDisposable {
  /** Undefined for a pair that was not ranked. */
  readonly tokens: (id: string) => Promise<TokensAnswer | undefined>;
  readonly progress: () => Promise<RunProgress>;
  readonly review: ReviewSource;
  /** Undefined where the run has not ended. */
  result(): Promise<ExperimentResult | undefined>;
  /** The run as it stands; undefined where it has not begun. */
  snapshot(): Promise<RunSnapshot | undefined>;
}

/** A run at one moment: what its finished stages hold. */
export interface RunSnapshot {
  readonly run: RunFolder;
  readonly reading: PairReading;
  readonly rankings: readonly RunRanking[];
  /** Undefined where nothing was ranked yet. Made when it is first asked for. */
  pairs(): Promise<ServedPairs | undefined>;
}

/**
 * Opens the folder of a run. Throws nothing itself: what is asked first throws ConfigError where there is no run. Whenever a stage ends, what it made is in the next answer. The whole ranking is
 * in a database on disk, with the text of all pairs, made when pairs are first asked for.
 */
export function openRunSource(path: string, options: RunSourceOptions = {}): RunSource {
  const parts = new Map<string, Promise<unknown>>();
  const opened = openServedPairs(path, options);
  const desk = createTokenDesk(options.host, options.signal);
  const review = createReviewDesk(options.decisions ?? join(path, DECISIONS_NAME), () =>
    snapshot(),
  );
  let last: { readonly stamp: string; readonly snapshot: Promise<RunSnapshot> } | undefined;
  let readings: { readonly hash: string; readonly reading: Promise<PairReading> } | undefined;

  const readingOf = (run: RunFolder): Promise<PairReading> => {
    const hash = run.manifest.inputs["pairs"] ?? "";
    if (readings?.hash !== hash) readings = { hash, reading: openRunPairs(run, options) };
    return readings.reading;
  };
  const look = async (): Promise<RunSnapshot> => {
    const run = await openRunFolder(path);
    if (options.forecast !== undefined) await expectOwnForecast(run, options.forecast);
    const reading = await readingOf(run);
    const rankings = await readingRun(run, () => readRankings(run));
    return { run, reading, rankings, pairs: () => opened.of({ run, reading, rankings }) };
  };
  const snapshot = async (): Promise<RunSnapshot | undefined> => {
    const found = await stat(join(path, RUN.name)).catch(() => undefined);
    if (found === undefined) {
      if (options.mayWait !== true) await openRunFolder(path); // which says what is there
      return undefined;
    }
    const stamp = `${found.mtimeMs} ${found.size} ${found.ino}`;
    if (last?.stamp !== stamp) {
      parts.clear();
      last = { stamp, snapshot: look() };
    }
    const { snapshot: looked } = last;
    // What could not be read is looked at again.
    looked.catch(() => {
      last = undefined;
    });
    return looked;
  };
  const pairs = async (): Promise<ServedPairs | undefined> => (await snapshot())?.pairs();
  return {
    snapshot,
    part: async <N extends PartName>(name: N) => {
      const at = await snapshot();
      if (at === undefined) return undefined;
      const { forecast, signal } = options;
      const known =
        parts.get(name) ??
        PARTS.find((each) => each.name === name)!.read({
          run: at.run,
          pairs: at.reading,
          forecast,
          signal,
        });
      parts.set(name, known);
      known.catch(() => parts.delete(name));
      return (await known) as PartValues[N] | undefined; // of this name
    },
    pairSummary: async () => (await pairs())?.summary,
    pairs: async (query) =>
      (await pairs())?.query(query) ?? { count: 0, rows: () => [], indexOf: () => -1 },
    pair: async (id) => (await pairs())?.detail(id),
    tokens: async (id) => {
      const at = await snapshot();
      const served = await at?.pairs();
      if (at === undefined || served === undefined || !(await served.has(id))) return undefined;
      const found = await served.textOf(id);
      return found === undefined ? { absent: "its text is not here" } : desk.shade(at, found);
    },
    progress: async () => {
      const found = await stat(join(path, RUN.name)).catch(() => undefined);
      if (found === undefined && options.mayWait !== true) await openRunFolder(path);
      return found === undefined
        ? NOT_BEGUN
        : describeProgress(await readExperimentStatus(path), await isBeingWritten(path));
    },
    review,
    result: async () => {
      if (options.mayWait !== true) await openRunFolder(path);
      return RESULT.find(join(path, RESULT.name));
    },
    async [Symbol.asyncDispose]() {
      await review[Symbol.asyncDispose]();
      await desk[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}
