import { dirname, join, resolve } from "node:path";

import { RUN } from "../runs/run-manifest.ts";
import { expectOwnForecast } from "./expect-own-forecast.ts";
import { openRunPairs, type PairReading, type PairReadingOptions } from "./pair-reading.ts";
import { readReport, type ReadReportOptions } from "./read-report.ts";
import { createRedact, thisMachine } from "./redact.ts";
import { openRunFolder, readingRun, type RunFolder } from "./run-folder.ts";
import {
  expectOwnPlace,
  writeReport,
  type WriteReportOptions,
  type WrittenReport,
} from "./write-report.ts";

/** What making a report takes. */
export interface MakeReportOptions
  extends Omit<WriteReportOptions, "redact" | "isForced" | "isSingleFile">, PairReadingOptions {
  readonly isSingleFile?: boolean | undefined;
  readonly isForced?: boolean | undefined;
  /** See readReport. */
  readonly tokens?: ReadReportOptions["tokens"];
  /** What culprit forecast said of the run's pairs; absent: no panel of it. */
  readonly forecast?: ReadReportOptions["forecast"];
}

/** What was made. */
export interface MadeReport extends WrittenReport {
  /** Why the text of the pairs is missing; undefined where it is there. */
  readonly textsAbsent: string | undefined;
  /** Why the shares of tokens are; undefined where they are there, or were not wanted. */
  readonly tokensAbsent: string | undefined;
  /** Stages that were not done. */
  readonly missing: readonly string[];
}

/**
 * Reads the folder of a run and writes its report. Throws ConfigError where there is no run, the place is taken, or the forecast is of
 * other pairs or of another checkpoint.
 */
export async function makeReport(path: string, options: MakeReportOptions): Promise<MadeReport> {
  const { out, isSingleFile = false, isForced = false, tokens, forecast, signal } = options;
  // Before pairs are read and tokens shaded.
  await expectOwnPlace({ out, isSingleFile, isForced });
  const run = await openRunFolder(path);
  return readingRun(run, async () => {
    if (forecast !== undefined) await expectOwnForecast(run, forecast);
    const pairs = await openRunPairs(run, options);
    const data = await readReport({ run, pairs, tokens, forecast, signal });
    const redact = createRedact(thisMachine(foldersOf(run, pairs)));
    const written = await writeReport(data, { out, isSingleFile, isForced, redact });
    return {
      ...written,
      textsAbsent: pairs.absent,
      tokensAbsent: data.tokensAbsent,
      missing: data.parts.overview?.missing ?? [],
    };
  });
}

/** The folders that settings and messages of a run may name. */
export function foldersOf(run: RunFolder, { pairs }: PairReading): readonly string[] {
  const { pairs: data, checkpoints } = run.settings;
  const files = [
    join(run.path, RUN.name),
    run.manifest.experimentFile,
    ...[...data.files, checkpoints.before].map(run.at),
    ...(pairs?.files ?? []).map(({ path }) => path),
  ];
  return files.filter((file) => !file.startsWith("hf://")).map((file) => dirname(resolve(file)));
}
