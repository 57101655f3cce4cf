import type { RolloutSampling } from "../data/rollouts.ts";
import type { EngineIdentity } from "../engine/engine.ts";
import { norm } from "../util/vector.ts";
import type { RanArm } from "./arm-runner.ts";
import { formatDrop, type LayerArms } from "./steer-layer.ts";
import type { SteerSettings } from "./steer-settings.ts";
import { armRates, countRequests, type VerdictRuns } from "./steered-rates.ts";
import { steeringEffects } from "./steering-effects.ts";
import { steeringNotes } from "./steering-notes.ts";
import type {
  LayerSteering,
  SteeringEffect,
  SteeringReport,
  SteerRequest,
} from "./steering-report.ts";

/** All arms of a steering. */
interface SteeringArms {
  readonly identity: EngineIdentity;
  readonly settings: SteerSettings;
  readonly sampling: RolloutSampling;
  readonly unsteered: RanArm;
  readonly layers: readonly LayerArms[];
}

/** The report of arms that have run. */
export function describeSteering(request: SteerRequest, arms: SteeringArms): SteeringReport {
  const { identity, settings, sampling, unsteered } = arms;
  const effects = compareLayers(request, arms);
  const layers = arms.layers.map((layer) =>
    describeLayer(request, { layer, settings, effects: effects.get(layer) ?? [] }),
  );
  return {
    format: "culprit-steering",
    version: 1,
    mode: request.mode,
    checkpoint: { name: identity.name, checkpointHash: identity.checkpointHash },
    judge: request.judge.name,
    behavior: request.judge.behavior,
    prompts: request.prompts.length,
    ...countRequests(request.prompts),
    sampling,
    coherenceBound: settings.coherenceBound,
    unsteered: unsteered.arm,
    layers,
    notes: steeringNotes(unsteered.arm, layers),
  };
}

/** The effects of the layers at which there is something to compare. */
function compareLayers(
  { mode, prompts }: SteerRequest,
  { unsteered, layers }: SteeringArms,
): ReadonlyMap<LayerArms, readonly SteeringEffect[]> {
  const compared = layers.filter(({ steered }) => steered !== undefined);
  const effects = steeringEffects(
    mode,
    {
      unsteered: [unsteered.verdicts],
      layers: compared.map(({ steered, random }) => ({
        steered: [steered!.verdicts], // filtered
        random: verdictsOf(random),
      })),
    },
    prompts,
  );
  return new Map(compared.map((layer, i) => [layer, effects[i]!]));
}

const verdictsOf = (arms: readonly RanArm[]): VerdictRuns => arms.map(({ verdicts }) => verdicts);

function describeLayer(
  { prompts }: SteerRequest,
  {
    layer: { direction, grid, steered, random },
    settings,
    effects,
  }: {
    readonly layer: LayerArms;
    readonly settings: SteerSettings;
    readonly effects: readonly SteeringEffect[];
  },
): LayerSteering {
  return {
    layer: direction.layer,
    length: norm(direction.vector),
    grid: grid.map(({ arm }) => arm),
    reason: explainStrength({ grid, steered }, settings),
    steered: steered?.arm,
    random:
      steered === undefined
        ? undefined
        : {
            directions: random.map(({ arm }) => arm),
            rates: armRates(verdictsOf(random), prompts),
          },
    effects,
  };
}

function explainStrength(
  { grid, steered }: Pick<LayerArms, "grid" | "steered">,
  { strength, coherenceBound }: SteerSettings,
): string {
  const [least] = grid;
  if (least === undefined) return "projected out as a whole";
  const allowed = `${coherenceBound} allowed`;
  if (steered === undefined) {
    return `no strength leaves the text coherent; the least, ${least.arm.strength}: ${formatDrop(least.arm)}, ${allowed}`;
  }
  const { arm } = steered;
  const found = `${formatDrop(arm)}, ${allowed}`;
  if (strength !== "auto") return `strength ${strength}, as asked: ${found}`;
  const failed = grid[grid.indexOf(steered) + 1]?.arm;
  const next =
    failed === undefined
      ? "the end of the grid"
      : `at ${failed.strength} it no longer is: ${formatDrop(failed)}`;
  return `strength ${arm.strength}, the largest that leaves the text coherent: ${found}; ${next}`;
}
