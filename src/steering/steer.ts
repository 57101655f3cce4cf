import { join } from "node:path";

import type { Engine } from "../engine/engine.ts";
import type { GenerationCounter } from "../engine/generation/generate-options.ts";
import { ConfigError } from "../util/errors.ts";
import { createArmRunner, type RanArm } from "./arm-runner.ts";
import { describeSteering } from "./describe-steering.ts";
import { type LayerArms, steerLayer } from "./steer-layer.ts";
import { steerSettings } from "./steer-settings.ts";
import {
  STEERING,
  type SteeringReport,
  type SteerOptions,
  type SteerRequest,
} from "./steering-report.ts";
import { steeringTargets } from "./steering-target.ts";

export interface SteerResult {
  readonly report: SteeringReport;
  /** Sampling done by this run; what an earlier one left in `out` costs nothing. */
  readonly work: GenerationCounter;
}

/**
 * Samples with and without steering, and with random directions as long, and says whether a direction causes a behaviour. Everything is
 * kept in `out`; a run that was killed goes on from there and ends with the same report. Throws ConfigError where the request does not
 * fit the engine, `out` holds arms of other settings, or the judge has no verdict on any unsteered rollout.
 */
export async function steer(
  engine: Engine,
  request: SteerRequest,
  options: SteerOptions,
): Promise<SteerResult> {
  const { seed = 0, progress } = options;
  const { identity } = engine;
  const settings = steerSettings(request, identity);
  const runner = createArmRunner(engine, request, options);
  const unsteered = await runner.run("unsteered");
  expectVerdicts(unsteered, request);
  const note = (line: string): void => progress?.note(line);
  const job = { mode: request.mode, settings, unsteered: unsteered.arm, seed, note };
  const layers: LayerArms[] = [];
  for (const target of steeringTargets(request.directions, settings)) {
    layers.push(await steerLayer(runner, target, job));
  }
  const { sampling } = runner.manifest()!; // an arm has run
  const report = describeSteering(request, { identity, settings, sampling, unsteered, layers });
  await STEERING.write(join(options.out, STEERING.name), report);
  progress?.end();
  return { report, work: runner.work };
}

function expectVerdicts({ arm, verdicts }: RanArm, { judge }: SteerRequest): void {
  if (verdicts.some((each) => "label" in each)) return;
  const [cause = "no rollouts"] = arm.rates.flatMap(({ causes }) => Object.keys(causes));
  throw new ConfigError(
    `judge "${judge.name}": has no verdict on any of ${verdicts.length} unsteered rollouts (${cause})`,
    { hint: "Look at the verdicts in the folder arms/unsteered, and at what the judge reads." },
  );
}
