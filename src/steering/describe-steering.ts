import type { EngineIdentity } from "../engine/engine.ts";
import type { RolloutSampling } from "../rollouts/rollout-manifest.ts";
import type { RanArm } from "./arm-runner.ts";
import { formatDrop, type LayerArms } from "./steer-layer.ts";
import type { SteerSettings } from "./steer-settings.ts";
import { armRates, countRequests, type VerdictRuns } from "./steered-rates.ts";
import { type IncoherentText, steeringEffects } from "./steering-effects.ts";
import { countShared, describeShared, steeringNotes } from "./steering-notes.ts";
import type {
  CheckedArm,
  LayerSteering,
  SteeringEffect,
  SteeringReport,
  SteerRequest,
} from "./steering-report.ts";
import type { SteeringTarget } from "./steering-target.ts";

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
  const shared = countShared(request.prompts, request.madeFrom ?? []);
  const effects = compareLayers(request, arms);
  const layers = arms.layers.map((layer) =>
    describeLayer(request, settings, { ...layer, effects: effects.get(layer) ?? [] }),
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
    shared: shared === 0 ? undefined : shared,
    sampling,
    coherenceBound: settings.coherenceBound,
    unsteered: unsteered.arm,
    layers,
    notes: [
      ...(shared === 0 ? [] : [`${describeShared(shared)}.`]),
      ...steeringNotes(unsteered.arm, layers),
    ],
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
        random: verdictsOf(comparable(random)),
        incoherent: findIncoherent(steered!, random),
      })),
    },
    prompts,
  );
  return new Map(compared.map((layer, i) => [layer, effects[i]!]));
}

const layersOf = ({ directions }: SteeringTarget): readonly number[] =>
  directions.map(({ layer }) => layer);

/** Random directions that leave the text coherent; all where none does. */
function comparable(random: LayerArms["random"]): LayerArms["random"] {
  const coherent = random.filter(({ arm }) => arm.isCoherent);
  return coherent.length > 0 ? coherent : random;
}

function findIncoherent(
  steered: RanArm<CheckedArm>,
  random: LayerArms["random"],
): IncoherentText | undefined {
  if (!steered.arm.isCoherent) return "steered";
  return random.some(({ arm }) => arm.isCoherent) ? undefined : "random";
}

const verdictsOf = (arms: readonly RanArm[]): VerdictRuns => arms.map(({ verdicts }) => verdicts);

function describeLayer(
  { prompts }: SteerRequest,
  settings: SteerSettings,
  layer: LayerArms & { readonly effects: readonly SteeringEffect[] },
): LayerSteering {
  const { target, grid, steered, random, effects } = layer;
  return {
    layer: target.layer,
    at: layersOf(target),
    length: target.length,
    grid: grid.map(({ arm }) => arm),
    reason: explainStrength({ target, grid, steered }, settings),
    steered: steered?.arm,
    random:
      steered === undefined
        ? undefined
        : {
            directions: random.map(({ arm }) => arm),
            rates: armRates(verdictsOf(comparable(random)), prompts),
          },
    effects,
  };
}

function explainStrength(
  { target, grid, steered }: Pick<LayerArms, "target" | "grid" | "steered">,
  { strength, coherenceBound }: SteerSettings,
): string {
  const [least] = grid;
  if (least === undefined) {
    const at = layersOf(target);
    return `projected out as a whole at ${at.length === 1 ? "layer" : "layers"} ${at.join(", ")}`;
  }
  const allowed = `${coherenceBound} allowed`;
  if (steered === undefined) {
    return `no strength leaves the text coherent; the least, ${least.arm.strength}: ${formatDrop(least.arm)}, ${allowed}`;
  }
  const { arm } = steered;
  const found = `${formatDrop(arm)}, ${allowed}`;
  if (strength !== "auto") {
    return `strength ${strength}, as asked: ${found}${arm.isCoherent ? "" : "; the text is not coherent"}`;
  }
  const failed = grid[grid.indexOf(steered) + 1]?.arm;
  const next =
    failed === undefined
      ? "the end of the grid"
      : `at ${failed.strength} it no longer is: ${formatDrop(failed)}`;
  return `strength ${arm.strength}, the largest that leaves the text coherent: ${found}; ${next}`;
}
