import type { StoredBehavior } from "../behavior/behavior-file.ts";
import type { EngineIdentity } from "../engine/engine.ts";
import { ConfigError } from "../util/errors.ts";
import { norm } from "../util/vector.ts";
import type { SteeringDirection, SteeringMode } from "./steering-report.ts";

export interface BehaviorDirectionsOptions {
  readonly mode: SteeringMode;
  /** Default: the layer chosen for the behaviour. */
  readonly layers?: readonly number[] | undefined;
  /** Add to a checkpoint that the behaviour was not read on; `project-out` always may. Default false. */
  readonly otherCheckpoint?: boolean | undefined;
}

/**
 * The directions of a behaviour, one for each layer, as long as the mean difference between its after- and before-responses there: so
 * a strength of 1 is once that difference, whatever the probe. Throws ConfigError where the behaviour has none at a layer, does not
 * fit the checkpoint, or was read on another one than it is to be added to.
 */
export function behaviorDirections(
  behavior: StoredBehavior,
  identity: EngineIdentity,
  options: BehaviorDirectionsOptions,
): readonly SteeringDirection[] {
  expectFits(behavior, identity);
  expectSameCheckpoint(behavior, identity, options);
  return chooseLayers(behavior, options.layers).map((layer) => {
    const direction = behavior.directions.get(layer)!; // chosen among them
    const scale = behavior.lengths.get(layer)! / norm(direction);
    return { layer, vector: scale === 1 ? direction : direction.map((value) => value * scale) };
  });
}

function chooseLayers(
  { name, layers, head }: StoredBehavior,
  asked: readonly number[] | undefined,
): readonly number[] {
  if (asked === undefined) {
    const { layerChoice } = head;
    if (layerChoice.kind === "chosen") return [layerChoice.layer];
    throw new ConfigError(`behavior "${name}": no layer was chosen: ${layerChoice.reason}`, {
      hint: `Name one of its layers: ${layers.join(", ")}.`,
    });
  }
  if (asked.length === 0) throw new ConfigError("steer: expected layers, got none");
  const missing = asked.find((layer) => !layers.includes(layer));
  if (missing === undefined) return asked;
  throw new ConfigError(
    `layers: expected layers of behavior "${name}" (${layers.join(", ")}), got ${missing}`,
    { hint: "Make the behavior file again with that layer, or name another." },
  );
}

function expectFits({ name, dim, head }: StoredBehavior, identity: EngineIdentity): void {
  const { family, layerCount } = head.checkpoint;
  const fits =
    dim === identity.dim && family === identity.family && layerCount === identity.layerCount;
  if (fits) return;
  throw new ConfigError(
    `behavior "${name}": expected a checkpoint like the one it was read on, ${family} with ${layerCount} blocks of ${dim} dimensions, got ${identity.family} with ${identity.layerCount} of ${identity.dim}`,
    {
      hint: "A direction means something in the checkpoint it was read on, and in its descendants.",
    },
  );
}

function expectSameCheckpoint(
  behavior: StoredBehavior,
  identity: EngineIdentity,
  { mode, otherCheckpoint = false }: BehaviorDirectionsOptions,
): void {
  if (otherCheckpoint) return;
  const parts = ["tokenizerHash", "templateHash", "checkpointHash"] as const;
  const compared = mode === "add" ? parts : parts.slice(0, 2);
  const differs = compared.find((part) => behavior.identity[part] !== identity[part]);
  if (differs === undefined) return;
  const what = { tokenizerHash: "tokenizer", templateHash: "template", checkpointHash: "weights" };
  throw new ConfigError(
    `behavior "${behavior.name}": was read on another checkpoint than ${identity.name}: they differ in their ${what[differs]}`,
    {
      hint:
        mode === "add"
          ? `It was read on ${behavior.head.checkpoint.name}. To steer another one all the same, say so (--other-checkpoint).`
          : "M0 and M1 should share tokenizer and template. To go on all the same, say so (--other-checkpoint).",
    },
  );
}
