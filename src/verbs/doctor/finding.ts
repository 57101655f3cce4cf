import { CulpritError } from "../../util/errors.ts";

/** What one check found. */
export interface Finding {
  /** What was looked at, a word or two. */
  readonly check: string;
  /** `warning`: some work will not go well. `fault`: work will fail. */
  readonly status: "ok" | "warning" | "fault";
  /** A line. */
  readonly found: string;
  /** What to do; undefined where all is well. */
  readonly advice?: string | undefined;
}

/** The finding of a check that ended with an error of ours; other errors are thrown on. */
export function foundError(check: string, error: unknown): Finding {
  if (!(error instanceof CulpritError)) throw error;
  return { check, status: "fault", found: error.message, advice: error.hint };
}

/** Bytes in the unit that memory and disks are measured by. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 2 : 0)} GiB`;
}
