import { findOwnDecisions } from "../edit/decision-log.ts";
import { expectOwnForecast } from "../report/expect-own-forecast.ts";
import { openRunFolder } from "../report/run-folder.ts";
import { openRunSource, type RunSourceOptions } from "../report/serve/run-source.ts";
import { CulpritError } from "../util/errors.ts";
import { serveRun } from "./serve-run.ts";

export interface ServeReportOptions extends RunSourceOptions {
  /** Absent: a free one. */
  readonly port?: number | undefined;
  /** Told of faults that the page cannot show. */
  readonly warn: (line: string) => void;
}

/** A report that is served. */
export interface ServedReport {
  readonly url: string;
  /** When the signal has ended it. */
  readonly ended: Promise<void>;
}

/** Serves the run in a folder until the signal is aborted. Throws ConfigError where there is none, or the forecast or the named decisions are not of it, RuntimeError where the port is taken. */
export async function serveReport(
  path: string,
  { port, mayWait = false, warn, ...options }: ServeReportOptions,
): Promise<ServedReport> {
  const { signal } = options;
  if (!mayWait) {
    const run = await openRunFolder(path);
    if (options.forecast !== undefined) await expectOwnForecast(run, options.forecast);
    const { decisions } = options;
    if (decisions !== undefined) {
      await findOwnDecisions(decisions, run.manifest.inputs["pairs"] ?? "");
    }
  }
  const source = openRunSource(path, { ...options, mayWait });
  const server = await serveRun(source, {
    port,
    onFault: (error) => {
      if (signal?.aborted === true) return; // whoever asked is gone as well
      const told = error instanceof Error && !(error instanceof CulpritError) ? error.stack : error;
      warn(`a request could not be answered: ${String(told)}`);
    },
  });
  const ended = new Promise<void>((resolve) => {
    const end = async (): Promise<void> => {
      await server[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
      resolve();
    };
    if (signal?.aborted === true) void end();
    else signal?.addEventListener("abort", () => void end(), { once: true });
  });
  return { url: server.url, ended };
}
