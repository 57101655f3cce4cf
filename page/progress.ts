/** @file How far the run is, asked of the server again and again while it is at work. */
import { createContext, useEffect, useState } from "react";

import type { ReportSource, RunProgress } from "../src/report/report-source.ts";

const WORKING_MS = 1_000;
/** Of a run that is not at work: it may be started again. */
const IDLE_MS = 5_000;

/** Undefined from disk, and until the first answer. */
export const ProgressContext = createContext<RunProgress | undefined>(undefined);

/** The last that the server said; where it does not answer, what it said before. */
export function useProgress(source: ReportSource): RunProgress | undefined {
  const [progress, setProgress] = useState<RunProgress>();
  useEffect(() => {
    if (source.progress === undefined) return;
    let timer: number | undefined;
    let isWanted = true;
    const look = async (): Promise<void> => {
      const found = await source.progress?.().catch(() => undefined);
      if (!isWanted) return;
      // The same again is nothing new: whoever reads this page must not be disturbed by each question.
      if (found !== undefined) setProgress((known) => (isSame(known, found) ? known : found));
      const isAtWork = found?.state === "running" || found?.state === "waiting";
      timer = window.setTimeout(() => void look(), isAtWork ? WORKING_MS : IDLE_MS);
    };
    void look();
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [source]);
  return progress;
}

const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
