import { CulpritError } from "../../util/errors.ts";
import { printable } from "../../util/text-table.ts";

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

/** A line for each finding, what to do under it. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.flatMap(describeFinding).join("\n");
}

const WIDTH = { status: 9, check: 12, line: 600 } as const;

function describeFinding({ status, check, found, advice }: Finding): readonly string[] {
  const head = `${status.padEnd(WIDTH.status)}${check.padEnd(WIDTH.check)}`;
  const line = `${head}${printable(found, WIDTH.line)}`;
  if (advice === undefined) return [line];
  return [line, `${" ".repeat(head.length)}${printable(advice, WIDTH.line)}`];
}
