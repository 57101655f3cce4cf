import type { Engine } from "../engine/engine.ts";
import type { GenerationCounter } from "../engine/generation/generate-options.ts";
import { UnsupportedError } from "../util/errors.ts";
import type { SteeringReport, SteerOptions, SteerRequest } from "./steering-report.ts";

export interface SteerResult {
  readonly report: SteeringReport;
  /** Work of sampling done by this run; what an earlier one left in `out` costs nothing. */
  readonly work: GenerationCounter;
}

/**
 * Samples with and without steering and says whether a direction causes a behaviour. Everything is kept in `out`; a run that was killed
 * goes on from there. Throws ConfigError where the request does not fit the engine.
 */
export function steer(
  _engine: Engine,
  _request: SteerRequest,
  _options: SteerOptions,
): Promise<SteerResult> {
  throw new UnsupportedError("steer: not there yet");
}
