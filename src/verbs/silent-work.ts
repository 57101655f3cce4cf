import { NO_METER } from "../engine/cost.ts";
import { ENGINES } from "../engine/engines.ts";
import { silentProgress } from "../util/progress.ts";
import type { RunVerbOptions } from "./run-verb.ts";

/**
 * What a script gives to runVerb that only wants the result: outputs go to `out`, by name; files of an earlier run are replaced; nothing is
 * shown. What must be known before a result is trusted goes to `warn`, by default a warning of Node.
 */
export function silentWork(
  out: RunVerbOptions["out"],
  warn: RunVerbOptions["warn"] = (line) => process.emitWarning(line),
): RunVerbOptions {
  return {
    out,
    isForced: true,
    owner: undefined,
    engines: ENGINES,
    signal: undefined,
    download: {},
    nameOf: (path) => path,
    note: () => {},
    warn,
    progress: () => silentProgress,
    cost: NO_METER,
  };
}
