import type { Forecast } from "../forecast/forecast-file.ts";
import type { PairReading } from "./pair-reading.ts";
import type { RunFolder } from "./run-folder.ts";

/** What parts are read with. */
export interface PartWork {
  readonly run: RunFolder;
  readonly pairs: PairReading;
  /** What was forecast of the run's pairs, where somebody gave it: no stage of a run makes it. */
  readonly forecast?: Forecast | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * One part of a report: what a panel of the page shows, read from the artefacts of a run. A part is one file in parts/ and one line in
 * PARTS; the page asks for it by its name.
 */
export interface ReportPart<N extends string = string, T = unknown> {
  readonly name: N;
  /** Plain data; undefined where the run has nothing of it (yet). */
  read(work: PartWork): Promise<T | undefined>;
}

/** Types a declaration by what stands in it. */
export function definePart<const N extends string, T>(part: ReportPart<N, T>): ReportPart<N, T> {
  return part;
}
